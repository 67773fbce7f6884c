"""All reading of one reconcile, in one place.

Children are listed anew by owner each time: no cache decides anything. Raises ``ManifestError`` for a spec that
can't be planned and ``ApiError`` as the client does.
"""

from collections.abc import Mapping
from dataclasses import replace

from gemma_operator.api.labels import DEPLOYMENT_LABEL
from gemma_operator.controller.catalog_source import CatalogSource
from gemma_operator.controller.cluster_source import ClusterSource
from gemma_operator.controller.engine_client import EngineClient
from gemma_operator.controller.inventories import Inventories
from gemma_operator.controller.observation import KnownRecord, Observation
from gemma_operator.controller.pod_facts import PodFacts, pod_facts
from gemma_operator.kube.apply import owned_by
from gemma_operator.kube.client import Client
from gemma_operator.kube.resources import CONTROLLER_REVISIONS, DEPLOYMENTS, PODS, JsonObject
from gemma_operator.manifests.owner import Owner
from gemma_operator.manifests.plan_revision import FAILED_ANNOTATION, OVERHEAD_ANNOTATION, PINNED_ANNOTATION
from gemma_operator.manifests.pod_settings import pod_settings
from gemma_operator.planning.intake import ask_from_spec, parse_manifest
from gemma_operator.planning.record import read_record
from gemma_operator.vllm.metrics import LivePool, live_pool


class Observer:
    """Reads for the reconciler; holds the sources that remember."""

    def __init__(
        self,
        client: Client,
        engines: EngineClient,
        catalog: CatalogSource,
        cluster: ClusterSource,
        default_image: str,
        operator_namespace: str,
    ) -> None:
        self._client = client
        self._engines = engines
        self._catalog = catalog
        self._cluster = cluster
        self._default_image = default_image
        self._operator_namespace = operator_namespace
        self._inventories = Inventories()

    async def observe(self, live: JsonObject, *, newest_nodes: bool = False) -> Observation:
        """The observation of a live GemmaDeployment; with ``newest_nodes`` none of them was read before the call."""
        meta = live["metadata"]
        owner = Owner(meta["namespace"], meta["name"], meta["uid"])
        parsed = parse_manifest(live)
        ask = ask_from_spec(owner.name, parsed.spec, self._default_image)
        in_force = await self._catalog.current()
        cluster = await (self._cluster.newest() if newest_nodes else self._cluster.current())
        deployment = await self._client.find(DEPLOYMENTS, owner.namespace, owner.name)
        if deployment is not None and not owned_by(deployment, owner.uid):
            deployment = None
        pods = await self._pods(owner)
        return Observation(
            live=live,
            deployment_object=parsed,
            owner=owner,
            ask=ask,
            settings=pod_settings(parsed.spec, self._default_image),
            inventory=self._inventories.of(cluster, in_force.catalog, parsed.spec.accelerators),
            free_gpus=cluster.free_gpus,
            node_products=cluster.node_products,
            node_memory_mib=cluster.node_memory_mib,
            catalog=in_force.catalog,
            catalog_problems=in_force.problems,
            records=await self._records(owner),
            deployment=deployment,
            pods=pods,
            pools=await self._pools(pods),
            operator_namespace=self._operator_namespace,
        )

    async def recounted(self, seen: Observation) -> Observation:
        """The same observation with the GPUs that are free now, and not up to half a minute ago."""
        cluster = await self._cluster.newest()
        return replace(
            seen,
            free_gpus=cluster.free_gpus,
            node_products=cluster.node_products,
            node_memory_mib=cluster.node_memory_mib,
        )

    async def _records(self, owner: Owner) -> tuple[KnownRecord, ...]:
        """The plan records of this owner, newest first."""
        selector = f"{DEPLOYMENT_LABEL}={owner.name}"
        found = await self._client.list_all(
            CONTROLLER_REVISIONS, owner.namespace, labels=selector, project=lambda item: item
        )
        ours = [item for item in found if owned_by(item, owner.uid)]
        return tuple(_known(item) for item in sorted(ours, key=lambda item: -int(item["revision"])))

    async def _pods(self, owner: Owner) -> tuple[PodFacts, ...]:
        selector = ",".join(f"{key}={value}" for key, value in owner.selector.items())
        found = await self._client.list_all(PODS, owner.namespace, labels=selector, project=pod_facts)
        return tuple(sorted(found, key=lambda pod: pod.name))

    async def _pools(self, pods: tuple[PodFacts, ...]) -> Mapping[str, LivePool | None]:
        asked = {pod.uid: pod.address for pod in pods if pod.ready and pod.address and not pod.terminating}
        answers = await self._engines.ask(asked.values())
        pages = {uid: answers[address].page for uid, address in asked.items()}
        return {uid: live_pool(page) if page else None for uid, page in pages.items()}


def _known(item: JsonObject) -> KnownRecord:
    annotations = item["metadata"].get("annotations") or {}
    overhead = annotations.get(OVERHEAD_ANNOTATION, "")
    return KnownRecord(
        record=read_record(item.get("data") or {}),
        revision=int(item["revision"]),
        pinned=annotations.get(PINNED_ANNOTATION) == "true",
        failure=annotations.get(FAILED_ANNOTATION, ""),
        live=item,
        overhead_bytes=int(overhead) if overhead.isdigit() else None,
    )
