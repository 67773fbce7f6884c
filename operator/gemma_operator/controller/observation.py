"""Everything that one reconcile saw, in one value. Decisions and the status are made from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gemma_operator.api.labels import PAUSED_ANNOTATION
from gemma_operator.api.v1alpha1 import GemmaDeployment
from gemma_operator.catalog.catalog import Catalog
from gemma_operator.controller.pod_facts import PodFacts
from gemma_operator.gpus.inventory import Inventory
from gemma_operator.kube.drift import owners_of
from gemma_operator.kube.resources import JsonObject
from gemma_operator.manifests.owner import Owner
from gemma_operator.manifests.pod_settings import PodSettings
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Plan
from gemma_operator.planning.record import PlanRecord
from gemma_operator.vllm.metrics import LivePool


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A stored plan record. ``pinned``: a pod of it was Ready once; ``failure``: why it did not start in its budget.

    ``overhead_bytes`` is what its first cold boot has shown, ``None`` where nothing was seen.
    """

    record: PlanRecord
    revision: int
    pinned: bool
    failure: str
    live: JsonObject
    overhead_bytes: int | None = None

    @property
    def good(self) -> bool:
        """Whether engines of it have served, so that it can be taken back."""
        return self.pinned and not self.failure


@dataclass(frozen=True, slots=True)
class Observation:
    """The live object, its spec, and all that belongs to it.

    ``pools`` has an entry for each ready pod, ``None`` where it did not answer. ``free_gpus`` counts per node.
    """

    live: JsonObject
    deployment_object: GemmaDeployment
    owner: Owner
    ask: Ask
    settings: PodSettings
    inventory: Inventory
    free_gpus: Mapping[str, int] | None
    node_products: Mapping[str, str]
    node_memory_mib: Mapping[str, int]
    catalog: Catalog
    catalog_problems: tuple[str, ...]
    records: tuple[KnownRecord, ...]
    deployment: JsonObject | None
    pods: tuple[PodFacts, ...]
    pools: Mapping[str, LivePool | None]
    operator_namespace: str

    def free_gpus_for(self, plan: Plan) -> dict[str, int] | None:
        """Free GPUs of the nodes that pods of a plan may run on; ``None`` when nobody may count them."""
        if self.free_gpus is None:
            return None
        product, above = plan.accelerator.product, plan.label_memory_above_mib
        return {
            node: count
            for node, count in self.free_gpus.items()
            if self.node_products.get(node) == product and (above is None or self.node_memory_mib.get(node, 0) > above)
        }

    @property
    def generation(self) -> int:
        """Generation of the spec that was seen."""
        return int(self.live["metadata"]["generation"])

    @property
    def paused(self) -> bool:
        """Whether an annotation asks to leave everything as it is."""
        annotations = self.live["metadata"].get("annotations") or {}
        return str(annotations.get(PAUSED_ANNOTATION, "")).lower() == "true"

    @property
    def hands_off(self) -> bool:
        """Whether nothing may be created, changed or scaled: only looked at and said."""
        return self.paused or self.deployment_object.spec.plan_only

    @property
    def autoscaled(self) -> bool:
        """Whether the number of replicas moves with the load, whoever moves it."""
        autoscaling = self.deployment_object.spec.autoscaling
        return autoscaling is not None and autoscaling.mode != "Advisory"

    @property
    def least_replicas(self) -> int:
        """How many of an autoscaled fleet must be ready at least."""
        autoscaling = self.deployment_object.spec.autoscaling
        return autoscaling.min_replicas if autoscaling is not None else 0

    @property
    def replicas_to_write(self) -> int | None:
        """The number that reconcile writes into the Deployment, ``None`` where that is the scaling loop's.

        Of a fleet that the operator scales, reconcile writes the first number alone. A Deployment is made without one,
        so until somebody owns the field that first write has failed, or the process ended before it.
        """
        spec = self.deployment_object.spec
        if spec.autoscaling is None or not spec.scales_itself:
            return spec.replicas
        most = spec.autoscaling.max_replicas or spec.replicas
        first = min(max(spec.replicas, spec.autoscaling.min_replicas), most)
        if self.deployment is None:
            return first
        unwritten = not owners_of(self.deployment, "spec", "replicas")
        return first if unwritten and self._live_replicas < first else None

    @property
    def desired_replicas(self) -> int:
        """How many engines are wanted: the number to write, or where the operator scales what it has come to."""
        if self.replicas_to_write is not None:
            return self.replicas_to_write
        draining = sum(pod.drain_deadline is not None and not pod.terminating for pod in self.pods)
        return max(0, self._live_replicas - draining)

    @property
    def _live_replicas(self) -> int:
        return int((self.deployment or {}).get("spec", {}).get("replicas", 1))

    @property
    def old_status(self) -> dict[str, Any]:
        """The status as it stands."""
        return dict(self.live.get("status") or {})
