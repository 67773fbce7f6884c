"""One tick: fleet in, decision and next state out."""

import math
from dataclasses import dataclass

from gemma_operator.autoscaling.decision import CapacitySource, Decision, Limit
from gemma_operator.autoscaling.fleet import Fleet, PodState
from gemma_operator.autoscaling.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """What is carried from tick to tick. A lost state never shrinks the fleet."""

    ticks: int = 0


def decide(settings: Settings, fleet: Fleet, state: State) -> tuple[Decision, State]:
    """How many replicas ``fleet`` should have."""
    samples = [pod.sample for pod in fleet.in_state(PodState.SERVING) if pod.sample is not None]
    in_flight = sum(sample.running + sample.waiting for sample in samples)
    wanted = math.ceil(in_flight / 16) if samples else fleet.replicas
    desired = min(max(wanted, settings.min_replicas), settings.max_replicas)
    decision = Decision(
        desired=desired,
        wanted=wanted,
        limit=Limit.NONE,
        queue_depth=sum(sample.waiting for sample in samples),
        tokens_per_second=0.0,
        capacity_tokens_per_second=0.0,
        capacity_source=CapacitySource.ESTIMATED,
        start_seconds=settings.start_seconds,
        overdue_pods=0,
        blind=not samples,
        scaling=desired != fleet.replicas,
        reason=f"{in_flight:.0f} requests in flight",
    )
    return decision, State(state.ticks + 1)
