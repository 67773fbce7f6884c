"""What the cluster has: GPU nodes, and how many of their GPUs are taken.

Nodes are read page by page and reduced at once; pods of the whole cluster are listed on demand and kept 30 s, since
watching them all would cost more memory than everything else. Not allowed to list pods: free is unknown, and said.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gemma_operator.gpus.feature_discovery import MEMORY, PRODUCT, RESOURCE
from gemma_operator.gpus.quantity import parse_quantity
from gemma_operator.kube.client import Client
from gemma_operator.kube.errors import ForbiddenError
from gemma_operator.kube.resources import NODES, PODS, JsonObject

USED_SECONDS = 30.0
BURST_SECONDS = 1.0
"""Nodes change in bursts: they are read at most once in that time. All is planned again once they are quiet."""
NODES_SECONDS = 120.0
"""A change of a node is told by the watch; where nodes may not be watched, this is how old the picture gets."""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """One picture of the cluster: GPU nodes as the API has them (reduced), and what of their GPUs is taken.

    ``used_gpus`` and ``free_gpus`` count by node and are ``None`` when nobody may count them; ``node_products`` has
    the product label of each node, ``node_memory_mib`` the memory label where it has one.
    """

    nodes: tuple[JsonObject, ...]
    used_gpus: Mapping[str, int] | None
    free_gpus: Mapping[str, int] | None
    node_products: Mapping[str, str]
    node_memory_mib: Mapping[str, int]

    @staticmethod
    def of(nodes: tuple[JsonObject, ...], used_gpus: Mapping[str, int] | None) -> "ClusterFacts":
        """The picture with what follows from it."""
        products = {node["metadata"]["name"]: str(node["metadata"]["labels"].get(PRODUCT, "")) for node in nodes}
        labels = {node["metadata"]["name"]: str(node["metadata"]["labels"].get(MEMORY, "")) for node in nodes}
        memory = {name: int(label) for name, label in labels.items() if label.isdigit()}
        if used_gpus is None:
            return ClusterFacts(nodes, None, None, products, memory)
        all_gpus = {
            node["metadata"]["name"]: int(parse_quantity(node["status"]["allocatable"].get(RESOURCE, "0")))
            for node in nodes
        }
        free = {name: count - used_gpus.get(name, 0) for name, count in all_gpus.items()}
        return ClusterFacts(nodes, used_gpus, free, products, memory)


class ClusterSource:
    """Reads and remembers, once for all workers. ``forget_nodes`` is called when a node changed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._one_reader = asyncio.Lock()
        self._nodes: tuple[JsonObject, ...] | None = None
        self._changed = False
        self._read_at = 0.0
        self._used: tuple[float, Mapping[str, int] | None] | None = None
        self._facts: ClusterFacts | None = None

    def forget_nodes(self) -> None:
        """Read nodes again at the next question."""
        self._changed = True

    async def newest(self) -> ClusterFacts:
        """A picture that was read after the question, for an answer that costs something: a refusal, a downtime.

        Waits where needed, so that many who ask at the same time cause no more than one reading per burst.
        """
        asked_at = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._read_at + BURST_SECONDS - asked_at))
        return await self.current(not_before=asked_at)

    async def current(self, not_before: float = 0.0) -> ClusterFacts:
        """The picture of now: the same object until something in it is read anew."""
        async with self._one_reader:
            now = asyncio.get_running_loop().time()
            nodes = await self._read_nodes(now, not_before)
            if self._used is None or now - self._used[0] > USED_SECONDS or self._used[0] < not_before:
                self._used = (now, await self._count())
            facts = self._facts
            if facts is None or facts.nodes is not nodes or facts.used_gpus is not self._used[1]:
                facts = self._facts = ClusterFacts.of(nodes, self._used[1])
            return facts

    async def _read_nodes(self, now: float, not_before: float) -> tuple[JsonObject, ...]:
        """What changes while it is read is read again next time."""
        kept_seconds = BURST_SECONDS if self._changed else NODES_SECONDS
        if self._nodes is not None and now - self._read_at <= kept_seconds and self._read_at >= not_before:
            return self._nodes
        self._changed = False
        try:
            nodes = tuple(await self._client.list_all(NODES, project=gpu_node))
        except ForbiddenError:
            nodes = ()
        self._read_at = now
        if nodes != self._nodes:
            self._nodes = nodes
        return self._nodes

    async def _count(self) -> Mapping[str, int] | None:
        used: Counter[str] = Counter()
        try:
            async for page in self._client.pages(PODS):
                for pod in page:
                    node, count = bound_gpus(pod)
                    used[node] += count
        except ForbiddenError:
            return None
        return used


def gpu_node(node: JsonObject) -> JsonObject | None:
    """The parts of a node that a plan may depend on; ``None`` for a node without GPUs or GPU labels."""
    labels = node["metadata"].get("labels") or {}
    status, spec = node.get("status") or {}, node.get("spec") or {}
    if RESOURCE not in (status.get("allocatable") or {}) and not any(key.startswith("nvidia.com/") for key in labels):
        return None
    return {
        "metadata": {"name": node["metadata"]["name"], "labels": labels},
        "spec": {key: spec[key] for key in ("unschedulable", "taints") if key in spec},
        "status": {
            "allocatable": status.get("allocatable") or {},
            "conditions": [item for item in status.get("conditions") or () if item.get("type") == "Ready"],
        },
    }


def bound_gpus(pod: JsonObject) -> tuple[str, int]:
    """Node and GPUs of a pod as the scheduler counts them: bound and not ended, terminating ones included."""
    spec: dict[str, Any] = pod.get("spec") or {}
    node = spec.get("nodeName") or ""
    if not node or (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
        return "", 0
    running = sum(_gpus(container) for container in spec.get("containers") or ())
    starting = max((_gpus(container) for container in spec.get("initContainers") or ()), default=0)
    return node, max(running, starting)


def _gpus(container: JsonObject) -> int:
    resources = container.get("resources") or {}
    amount = (resources.get("limits") or {}).get(RESOURCE) or (resources.get("requests") or {}).get(RESOURCE) or "0"
    return int(parse_quantity(amount))
