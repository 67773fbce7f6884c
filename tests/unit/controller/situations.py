"""Builders for what a reconcile may find: a spec, a cluster, records, pods, engines. Each step returns a new value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gemma_operator.api.labels import PLAN_HASH_ANNOTATION
from gemma_operator.controller.choose import Choice, choose, template_digest
from gemma_operator.controller.context_check import ContextCheck, check_context
from gemma_operator.controller.observation import KnownRecord, Observation
from gemma_operator.controller.pod_facts import PodFacts
from gemma_operator.controller.rollout import RolloutState, rollout_state
from gemma_operator.controller.status import Line, Verdicts, conditions, status_fields
from gemma_operator.gpus.inventory import Inventory
from gemma_operator.manifests.owner import Owner
from gemma_operator.manifests.pod_settings import pod_settings
from gemma_operator.planning.intake import ask_from_spec, parse_manifest
from gemma_operator.planning.plan import plan
from gemma_operator.vllm.metrics import LivePool
from gemma_operator.vllm.release import DEFAULT_ENGINE_IMAGE
from tests.unit.planning.asks import CATALOG, gpus

SCRIPTS = {"startup_probe.py": "pass\n"}
PROMISED = LivePool(num_blocks=1_000_000, max_concurrency=4.0, kv_tokens=4 * 64 * 1024)

WROTE_REPLICAS = {
    "manager": "gemma-operator-replicas",
    "operation": "Apply",
    "fieldsV1": {"f:spec": {"f:replicas": {}}},
}


def pod(name: str, digest: str, **changes: Any) -> PodFacts:
    """A ready, serving pod of that template on a node of its own."""
    facts = PodFacts(
        name=name,
        uid=f"uid-of-{name}",
        node=f"node-of-{name}",
        address="127.0.0.1",
        template_digest=digest,
        ready=True,
        serving=True,
        terminating=False,
        unschedulable="",
        waiting="",
        termination_message="",
        restarts=0,
        gpus=1,
    )
    return replace(facts, **changes)


@dataclass(frozen=True)
class Situation:
    """What is there. ``pools`` are the answers of engines by pod name."""

    spec: Mapping[str, Any]
    inventory: Inventory
    generation: int = 1
    default_image: str = DEFAULT_ENGINE_IMAGE
    scripts: Mapping[str, str] = field(default_factory=lambda: SCRIPTS)
    records: tuple[KnownRecord, ...] = ()
    deployment: dict[str, Any] | None = None
    pods: tuple[PodFacts, ...] = ()
    pools: Mapping[str, LivePool | None] = field(default_factory=dict)
    free_gpus: Mapping[str, int] | None = None
    node_memory_mib: Mapping[str, int] = field(default_factory=dict)
    catalog_problems: tuple[str, ...] = ()
    status: Mapping[str, Any] | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> Observation:
        """The observation of this situation."""
        manifest = {
            "apiVersion": "gemma-operator.io/v1alpha1",
            "kind": "GemmaDeployment",
            "metadata": {
                "name": "assistant",
                "namespace": "team",
                "uid": "u-1",
                "generation": self.generation,
                "annotations": dict(self.annotations),
            },
            "spec": dict(self.spec),
        }
        parsed = parse_manifest(manifest)
        return Observation(
            live=manifest | ({"status": dict(self.status)} if self.status is not None else {}),
            deployment_object=parsed,
            owner=Owner("team", "assistant", "u-1"),
            ask=ask_from_spec("assistant", parsed.spec, self.default_image),
            settings=pod_settings(parsed.spec, self.default_image),
            inventory=self.inventory,
            free_gpus=self.free_gpus,
            node_products={pod.node: self.product for pod in self.pods},
            node_memory_mib=self.node_memory_mib,
            catalog=CATALOG,
            catalog_problems=self.catalog_problems,
            records=self.records,
            deployment=self.deployment,
            pods=self.pods,
            pools={f"uid-of-{name}": pool for name, pool in self.pools.items()},
            operator_namespace="gemma-system",
        )

    @property
    def product(self) -> str:
        return self.inventory.groups[0].accelerator.product if self.inventory.groups else ""

    @property
    def choice(self) -> Choice:
        return choose(self.seen, self.scripts, plan)

    @property
    def digest(self) -> str:
        """The digest that pods of the newest record carry."""
        return template_digest(self.records[0].record)

    def recorded(self, *, pinned: bool = False, failure: str = "") -> "Situation":
        """The choice is in force: its record is stored."""
        choice = self.choice
        assert choice.record is not None
        known = KnownRecord(choice.record, choice.revision, pinned, failure, {})
        others = tuple(record for record in self.records if record.revision != choice.revision)
        return replace(self, records=(known, *others))

    def marked(self, **changes: Any) -> "Situation":
        """The newest record with other notes on it."""
        return replace(self, records=(replace(self.records[0], **changes), *self.records[1:]))

    def deployed(self, *, ready: int, updated: int | None = None, total: int | None = None, **more: Any) -> "Situation":
        """A Deployment of the newest record with these counts, and its ready pods."""
        desired = self.seen.deployment_object.spec.replicas
        deployment = {
            "metadata": {"generation": 1, "managedFields": [WROTE_REPLICAS]},
            "spec": {"replicas": desired, "template": dict(self.records[0].record.template)},
            "status": {
                "observedGeneration": 1,
                "replicas": desired if total is None else total,
                "updatedReplicas": desired if updated is None else updated,
                "conditions": more.pop("deployment_conditions", []),
            },
        }
        pods = tuple(pod(f"engine-{n}", self.digest) for n in range(ready))
        return replace(self, deployment=deployment, pods=pods, **more)

    def serving(self) -> "Situation":
        """Everything as asked for: pinned record, all pods ready."""
        return self.recorded(pinned=True).deployed(ready=self.seen.deployment_object.spec.replicas)

    def asked(self, **spec: Any) -> "Situation":
        """The user gives it another spec."""
        return replace(self, spec=spec, generation=self.generation + 1)

    def old_pods(self, count: int, **changes: Any) -> tuple[PodFacts, ...]:
        """Pods of a template that is no longer in force."""
        return tuple(pod(f"old-{n}", "before", **changes) for n in range(count))


def a_deployment(context: str = "64K", inventory: Inventory | None = None, **spec: Any) -> Situation:
    """A GemmaDeployment that nobody has worked on yet, on four L40S."""
    return Situation({"contextLength": context, **spec}, inventory if inventory is not None else gpus(L40S=4))


def state_of(situation: Situation) -> RolloutState:
    return rollout_state(situation.seen, situation.choice)


def context_of(situation: Situation) -> ContextCheck:
    choice, seen = situation.choice, situation.seen
    return check_context(choice.record.plan if choice.record else None, seen.pods, seen.pools)


def lines(situation: Situation, verdicts: Verdicts | None = None) -> dict[str, Line]:
    """The conditions by type."""
    found = conditions(
        situation.seen, situation.choice, state_of(situation), context_of(situation), verdicts or Verdicts()
    )
    return {line.type.value: line for line in found}


def short(situation: Situation, *types: str, verdicts: Verdicts | None = None) -> dict[str, str]:
    """Conditions as ``False/Reason`` where something is wrong or under way, else as the bare status."""
    found = lines(situation, verdicts)
    return {name: f"{found[name].status}/{found[name].reason.value}" for name in types}


def fields(situation: Situation) -> dict[str, Any]:
    """The status without its conditions."""
    return status_fields(situation.seen, situation.choice, state_of(situation))


def deployment_digest(situation: Situation) -> str:
    """The digest in the live Deployment's template."""
    assert situation.deployment is not None
    return str(situation.deployment["spec"]["template"]["metadata"]["annotations"][PLAN_HASH_ANNOTATION])
