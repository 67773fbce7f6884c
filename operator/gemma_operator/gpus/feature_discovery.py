"""Reads NVIDIA GPU feature discovery's labels: nodes in, inventory out.

``nvidia.com/gpu.product``, ``.memory`` (MiB), ``.count`` and ``.compute.major/minor``; the count that matters
is the allocatable resource, which the scheduler goes by. Called by the controller with live nodes and by
``gemmactl plan --nodes`` with a file. Nodes that can't be used are kept, with the reason.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gemma_operator.catalog.product import GpuProduct
from gemma_operator.gpus.accelerator import Accelerator
from gemma_operator.gpus.inventory import GpuNodes, Inventory, UnusableNodes
from gemma_operator.gpus.match import UnusableProductError, match_label
from gemma_operator.gpus.quantity import parse_quantity

RESOURCE = "nvidia.com/gpu"
PRODUCT, MEMORY = "nvidia.com/gpu.product", "nvidia.com/gpu.memory"
MAJOR, MINOR = "nvidia.com/gpu.compute.major", "nvidia.com/gpu.compute.minor"
STRATEGY, REPLICAS = "nvidia.com/gpu.sharing-strategy", "nvidia.com/gpu.replicas"
DECIDING = (PRODUCT, MEMORY, MAJOR, MINOR, STRATEGY, REPLICAS)
"""All labels that an accelerator follows from: nodes with equal ones are matched once."""

BLOCKING_EFFECTS = frozenset({"NoSchedule", "NoExecute"})

Node = Mapping[str, Any]
Toleration = Mapping[str, str]


def read_nodes(
    nodes: Iterable[Node],
    products: Sequence[GpuProduct],
    *,
    used_gpus: Mapping[str, int] | None = None,
    node_selector: Mapping[str, str] | None = None,
    tolerations: Sequence[Toleration] = (),
) -> Inventory:
    """Groups of equal usable GPU nodes, and the GPU nodes that no pod of ours could run on.

    ``used_gpus`` counts the GPUs bound per node name; ``None`` means that nobody may count them, and free GPUs
    stay unknown. Nodes without GPUs and nodes outside ``node_selector`` are no part of the answer.
    """
    groups: dict[tuple[Accelerator, int], list[Node]] = defaultdict(list)
    unusable: dict[str, list[str]] = defaultdict(list)
    met: dict[tuple[str | None, ...], Accelerator] = {}
    for node in nodes:
        labels = node["metadata"].get("labels") or {}
        if any(labels.get(key) != value for key, value in (node_selector or {}).items()):
            continue
        count = int(parse_quantity(_allocatable(node).get(RESOURCE, "0")))
        if PRODUCT not in labels and count == 0:
            continue
        try:
            _check_schedulable(node, tolerations, count)
            kind = tuple(labels.get(key) for key in DECIDING)
            if kind not in met:
                met[kind] = _accelerator(labels, products)
            accelerator = met[kind]
        except UnusableProductError as error:
            unusable[str(error)].append(node["metadata"]["name"])
            continue
        groups[(accelerator, count)].append(node)
    return Inventory(
        groups=tuple(
            _group(accelerator, count, members, used_gpus)
            for (accelerator, count), members in sorted(groups.items(), key=lambda item: (item[0][0].id, item[0][1]))
        ),
        unusable=tuple(UnusableNodes(tuple(sorted(names)), reason) for reason, names in sorted(unusable.items())),
    )


def _accelerator(labels: Mapping[str, str], products: Sequence[GpuProduct]) -> Accelerator:
    product = labels.get(PRODUCT)
    if product is None:
        raise UnusableProductError(f"the label {PRODUCT} is missing; install GPU feature discovery")
    if labels.get(STRATEGY, "none") != "none" and labels.get(REPLICAS, "1") not in {"0", "1"}:
        raise UnusableProductError(f"{product} is shared by {labels[STRATEGY]}: its memory is not one engine's own")
    memory, major, minor = labels.get(MEMORY), labels.get(MAJOR), labels.get(MINOR)
    capability = (int(major), int(minor)) if major and minor and major.isdigit() and minor.isdigit() else None
    memory_mib = int(memory) if memory and memory.isdigit() else None
    return match_label(products, product, memory_mib, capability, RESOURCE)


def _check_schedulable(node: Node, tolerations: Sequence[Toleration], count: int) -> None:
    spec, conditions = node.get("spec") or {}, (node.get("status") or {}).get("conditions") or ()
    if count == 0:
        raise UnusableProductError(f"no {RESOURCE} is allocatable: no device plugin, or unhealthy GPUs")
    if spec.get("unschedulable"):
        raise UnusableProductError("the node is cordoned")
    if not any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions):
        raise UnusableProductError("the node is not ready")
    for taint in spec.get("taints") or ():
        if taint.get("effect") in BLOCKING_EFFECTS and not any(tolerates(item, taint) for item in tolerations):
            raise UnusableProductError(f"the taint {taint['key']}={taint.get('value', '')} is not tolerated")


def tolerates(toleration: Toleration, taint: Mapping[str, str]) -> bool:
    """Kubernetes' own rule: an empty key with Exists matches all, an empty effect every effect."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return not toleration.get("key") or toleration["key"] == taint.get("key")
    return toleration.get("key") == taint.get("key") and toleration.get("value", "") == taint.get("value", "")


def _allocatable(node: Node) -> Mapping[str, str]:
    return (node.get("status") or {}).get("allocatable") or {}


def _smallest(nodes: Sequence[Node], resource: str) -> float | None:
    values = [_allocatable(node).get(resource) for node in nodes]
    known = [parse_quantity(value) for value in values if value is not None]
    return min(known) if len(known) == len(values) and known else None


def _group(
    accelerator: Accelerator, count: int, members: Sequence[Node], used_gpus: Mapping[str, int] | None
) -> GpuNodes:
    free = None
    if used_gpus is not None:
        free = tuple(
            sorted((max(0, count - used_gpus.get(node["metadata"]["name"], 0)) for node in members), reverse=True)
        )
    memory, disk = _smallest(members, "memory"), _smallest(members, "ephemeral-storage")
    return GpuNodes(
        accelerator=accelerator,
        gpus_per_node=count,
        nodes=len(members),
        free_gpus=free,
        cpu_cores=_smallest(members, "cpu"),
        memory_bytes=None if memory is None else int(memory),
        ephemeral_storage_bytes=None if disk is None else int(disk),
    )
