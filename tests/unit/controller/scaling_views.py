"""Builders for what the scaling loop may see of a fleet."""

from pathlib import Path
from typing import Any

from gemma_operator.autoscaling.decision import CapacitySource, Decision, Limit
from gemma_operator.autoscaling.page import read_sample
from gemma_operator.autoscaling.sample import Sample
from gemma_operator.controller.fleet_view import Clock, FleetView
from gemma_operator.controller.pod_facts import PodFacts
from tests.unit.controller.situations import pod

PAGE = (Path(__file__).parents[1] / "vllm" / "data" / "metrics_under_load.txt").read_text()
CLOCK = Clock(monotonic_seconds=500.0, wall_seconds=10_000.0)


def sample() -> Sample:
    """Twelve requests run, twenty-five wait."""
    read = read_sample(PAGE, CLOCK.monotonic_seconds)
    assert read is not None
    return read


def engine(name: str, age: float = 600.0, **changes: Any) -> PodFacts:
    """A ready pod of that age."""
    created = CLOCK.wall_seconds - age
    return pod(name, "plan", created_at=created, ready_at=created + 60, **changes)


def view(*pods: PodFacts, replicas: int | None = None, rolled_out: bool = True, **more: Any) -> FleetView:
    """A Deployment with these pods, each telling the same."""
    count = len(pods) if replicas is None else replicas
    progress = {"type": "Progressing", "reason": "NewReplicaSetAvailable" if rolled_out else "ReplicaSetUpdated"}
    deployment = {
        "metadata": {
            "namespace": "team",
            "name": "assistant",
            "generation": 3,
            "managedFields": more.pop("managed_fields", []),
        },
        "spec": {"replicas": count},
        "status": {"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1, "conditions": [progress]},
    }
    telling = more.pop("telling", [one.name for one in pods if one.ready])
    samples = {one.uid: sample() for one in pods if one.name in telling}
    return FleetView(deployment, pods, samples, CLOCK, more.pop("unreached", frozenset()))


def decision(**changes: Any) -> Decision:
    """Nothing to do, all well."""
    values: dict[str, Any] = {
        "desired": 2,
        "wanted": 2,
        "limit": Limit.NONE,
        "queue_depth": 3.2,
        "tokens_per_second": 1874.4,
        "capacity_tokens_per_second": 946.0,
        "capacity_source": CapacitySource.LEARNED,
        "start_seconds": 118.6,
        "overdue_pods": 0,
        "blind": False,
        "scaling": False,
        "reason": "Demand of 1,874 tokens/s",
    }
    return Decision(**values | changes)
