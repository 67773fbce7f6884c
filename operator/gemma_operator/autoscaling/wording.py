"""The decision in one sentence, with the numbers that made it."""

from gemma_operator.autoscaling.decision import CapacitySource, Decision, Limit
from gemma_operator.autoscaling.fleet import Fleet, PodState

SOURCES = {
    CapacitySource.TARGET: "as set",
    CapacitySource.LEARNED: "learned",
    CapacitySource.ESTIMATED: "estimated",
}
LIMITS = {
    Limit.NONE: "",
    Limit.TOO_FEW: "; minReplicas is the floor",
    Limit.TOO_MANY: "; maxReplicas is the ceiling",
    Limit.SCALE_UP_RATE: "; behavior.scaleUp allows no more at once",
    Limit.SCALE_DOWN_RATE: "; behavior.scaleDown allows no more at once",
    Limit.STABILIZED: "; the stabilization window holds the larger size",
    Limit.NO_DATA: "; not every engine tells its load, so nothing shrinks",
    Limit.ROLLING_OUT: "; pods are starting, so nothing shrinks",
}


def sentence(decision: Decision, fleet: Fleet) -> str:
    """Why the decision is what it is."""
    if decision.blind:
        return "No engine tells its load, so the size stays as it is"
    loading = len(fleet.in_state(PodState.LOADING)) - decision.overdue_pods
    parts = [
        f"Demand of {decision.tokens_per_second:,.0f} tokens/s and {decision.queue_depth:,.0f} waiting requests "
        f"against {decision.capacity_tokens_per_second:,.0f} tokens/s per replica ({SOURCES[decision.capacity_source]})"
        f" ask for {decision.wanted}"
    ]
    if loading > 0:
        parts.append(f", {loading} of them loading")
    if decision.overdue_pods:
        parts.append(f", {decision.overdue_pods} more overdue")
    return "".join(parts) + LIMITS[decision.limit]
