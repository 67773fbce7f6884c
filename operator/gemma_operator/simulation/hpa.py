"""The machinery of the HorizontalPodAutoscaler that the baselines share: tolerance, windows, limits, first size.

Follows kubernetes/pkg/controller/podautoscaler (replica_calculator.go, horizontal.go). Called by ``baselines``.
"""

import math
from dataclasses import dataclass, replace

from gemma_operator.autoscaling.behavior import Moment, limited, longest_seconds, stabilized
from gemma_operator.autoscaling.decision import CapacitySource, Decision, Limit
from gemma_operator.autoscaling.fleet import Fleet, PodState
from gemma_operator.autoscaling.settings import Behavior, PolicyType, ScalingPolicy, ScalingRules, Settings

TOLERANCE = 0.1
DEFAULT = Behavior(
    scale_up=ScalingRules(
        (ScalingPolicy(PolicyType.PERCENT, 100, 15), ScalingPolicy(PolicyType.PODS, 4, 15)),
        stabilization_window_seconds=0,
    ),
    scale_down=ScalingRules((ScalingPolicy(PolicyType.PERCENT, 100, 15),), stabilization_window_seconds=300),
)


@dataclass(frozen=True, slots=True)
class HpaState:
    """Recommendations and changes of the longest window."""

    recommendations: tuple[Moment, ...] = ()
    changes: tuple[Moment, ...] = ()
    replicas: int | None = None


def value_target(total: float, target: float, fleet: Fleet) -> int:
    """An Object metric with a ``Value`` target: the ratio times the pods that are ready."""
    ratio = total / target
    if abs(ratio - 1) <= TOLERANCE:
        return fleet.replicas
    return math.ceil(ratio * len(fleet.in_state(PodState.SERVING)))


def average_target(total: float, target: float, fleet: Fleet) -> int:
    """An External metric with an ``AverageValue`` target, what KEDA emits: readiness is never looked at."""
    if abs(total / (target * fleet.replicas) - 1) <= TOLERANCE:
        return fleet.replicas
    return math.ceil(total / target)


def synced(
    behavior: Behavior, settings: Settings, fleet: Fleet, state: HpaState, wanted: int | None, signal: str
) -> tuple[Decision, HpaState]:
    """One sync. ``wanted`` is ``None`` when the metric could not be read: the HPA then leaves the size alone.

    The first recommendation is the size as it is, so that a fresh controller does not shrink at once.
    """
    now, current = fleet.now_seconds, fleet.replicas
    oldest = now - longest_seconds(behavior)
    past = state.recommendations or (Moment(now, current),)
    changes = state.changes
    if state.replicas is not None and current != state.replicas:
        changes = (*changes, Moment(now, current - state.replicas))
    desired, limit = current, Limit.NO_DATA
    if wanted is not None:
        past = (*past, Moment(now, wanted))
        steady = stabilized(behavior, wanted, current, past, now)
        desired, limit = limited(behavior, steady, current, changes, now)
        desired = min(max(desired, settings.min_replicas), settings.max_replicas)
    state = replace(
        state,
        recommendations=tuple(one for one in past if one.at_seconds >= oldest),
        changes=tuple(one for one in changes if one.at_seconds >= oldest),
        replicas=current,
    )
    return _decision(desired, current if wanted is None else wanted, limit, settings, signal), state


def _decision(desired: int, wanted: int, limit: Limit, settings: Settings, signal: str) -> Decision:
    return Decision(
        desired=desired,
        wanted=wanted,
        limit=limit,
        queue_depth=0.0,
        tokens_per_second=0.0,
        capacity_tokens_per_second=0.0,
        capacity_source=CapacitySource.TARGET,
        start_seconds=settings.start_seconds,
        overdue_pods=0,
        blind=wanted is None,
        scaling=False,
        reason=signal,
    )
