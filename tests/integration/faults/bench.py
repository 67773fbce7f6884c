"""A reconciler without pump and queue, behind a fault proxy: each call of ``reconcile`` is one pass.

A crash is a new ``Workbench``: nothing of the old one is kept, as in a new process.
"""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from e2e.cluster import Cluster
from gemma_operator.controller.catalog_source import CatalogSource
from gemma_operator.controller.cluster_source import ClusterSource
from gemma_operator.controller.engine_client import EngineClient
from gemma_operator.controller.main import pod_scripts
from gemma_operator.controller.observe import Observer
from gemma_operator.controller.queue import Key
from gemma_operator.controller.reconcile import Reconciler
from gemma_operator.controller.report import Reporter
from gemma_operator.controller.scaling_loop import Autoscaler
from gemma_operator.kube.client import Client
from gemma_operator.kube.connection import load_configuration
from gemma_operator.kube.errors import ApiError
from gemma_operator.kube.events import Recorder
from gemma_operator.kube.resources import GEMMA_DEPLOYMENTS, JsonObject
from gemma_operator.telemetry.metrics import Metrics
from gemma_operator.vllm.release import DEFAULT_ENGINE_IMAGE


@dataclass(frozen=True)
class Workbench:
    """A reconciler and the client that it uses."""

    client: Client
    reconciler: Reconciler

    async def reconcile(self, key: Key) -> ApiError | None:
        """One pass, as the queue would run it; an API error would be retried and is returned."""
        try:
            await self.reconciler.reconcile(key)
        except ApiError as error:
            return error
        return None

    async def ready(self, key: Key) -> bool:
        """Whether this generation is Ready; not known is no."""
        try:
            return is_ready(await self.client.get(GEMMA_DEPLOYMENTS, key.namespace, key.name))
        except ApiError:
            return False


@asynccontextmanager
async def workbench(cluster: Cluster, address: str | None = None) -> AsyncIterator[Workbench]:
    """A fresh one; ``address`` is a proxy, the API server itself otherwise."""
    configuration = await load_configuration(str(cluster.kubeconfig))
    if address is not None:
        configuration.host = address
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client(configuration, metrics))
        engines = await stack.enter_async_context(EngineClient())
        observer = Observer(
            client, engines, CatalogSource(client, "default"), ClusterSource(client), DEFAULT_ENGINE_IMAGE, "default"
        )
        recorder = Recorder(client, "test")
        reporter, autoscaler = Reporter(client, recorder, metrics), Autoscaler(client, engines, recorder, metrics)
        yield Workbench(client, Reconciler(client, observer, reporter, metrics, pod_scripts(), autoscaler))


def is_ready(live: JsonObject) -> bool:
    """Whether the newest generation is Ready."""
    for condition in (live.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready":
            newest = condition["observedGeneration"] == live["metadata"]["generation"]
            return bool(condition["status"] == "True" and newest)
    return False


def outcome(cluster: Cluster, key: Key) -> dict[str, Any]:
    """All that a GemmaDeployment owns, by kind and name, without what differs from one run to the next."""
    kinds = "deployments,services,configmaps,serviceaccounts,poddisruptionbudgets,networkpolicies,controllerrevisions"
    kinds += ",replicasets"
    items = cluster.get(kinds, "-n", key.namespace, "-l", f"gemma-operator.io/deployment={key.name}")["items"]
    return {f"{item['kind']}/{item['metadata']['name']}": _essence(item, key.namespace) for item in items}


def _essence(item: JsonObject, namespace: str) -> Any:
    kept = {name: item[name] for name in ("spec", "data", "revision", "immutable") if name in item}
    for assigned in ("clusterIP", "clusterIPs"):
        kept.get("spec", {}).pop(assigned, None)
    kept["annotations"] = item["metadata"].get("annotations") if item["kind"] == "ControllerRevision" else None
    return json.loads(json.dumps(kept, sort_keys=True).replace(namespace, "the-namespace"))
