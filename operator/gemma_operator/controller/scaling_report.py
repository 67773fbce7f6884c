"""What the autoscaler says of itself: three conditions in an HPA's words, and ``status.autoscaling``. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gemma_operator.api.conditions import ConditionType, Reason
from gemma_operator.autoscaling.decision import Decision, Limit
from gemma_operator.autoscaling.fleet import PodState
from gemma_operator.autoscaling.policy import OVERDUE
from gemma_operator.controller.fleet_view import FleetView, state_of
from gemma_operator.controller.pod_facts import PodFacts
from gemma_operator.controller.status import Line
from gemma_operator.vllm.arguments import PORT

LIMITS = {
    Limit.TOO_FEW: (Reason.TOO_FEW_REPLICAS, "the desired replica count is less than the minimum replica count"),
    Limit.TOO_MANY: (Reason.TOO_MANY_REPLICAS, "the desired replica count is more than the maximum replica count"),
    Limit.SCALE_UP_RATE: (
        Reason.SCALE_UP_LIMIT,
        "the desired replica count is increasing faster than the maximum scale rate",
    ),
    Limit.SCALE_DOWN_RATE: (
        Reason.SCALE_DOWN_LIMIT,
        "the desired replica count is decreasing faster than the maximum scale rate",
    ),
    Limit.NO_DATA: (
        Reason.FAILED_GET_PODS_METRIC,
        "not every engine has told its load for long enough: no replica is taken away",
    ),
    Limit.ROLLING_OUT: (Reason.ROLLING_OUT, "pods are starting or being replaced: no replica is taken away"),
}
"""What kept the decision from what demand asks for. The stabilization window shows in AbleToScale, as in an HPA."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a decision. ``foreign`` and ``failure`` are sentences, empty when all is well.

    ``rescaled`` is the number of replicas that was written, ``None`` where nothing was.
    """

    advisory: bool = False
    foreign: str = ""
    failure: str = ""
    rescaled: int | None = None


@dataclass(frozen=True, slots=True)
class ScalingReport:
    """Lines for the conditions and fields for ``status.autoscaling``."""

    lines: tuple[Line, ...]
    fields: Mapping[str, Any]

    @property
    def news(self) -> tuple[object, ...]:
        """What is worth a write of the status at once; other numbers move all the time."""
        words = tuple((line.type, line.status, line.reason) for line in self.lines)
        return words, *(self.fields.get(name) for name in ("mode", "desired", "ready", "loading", "draining"))


def scaling_report(decision: Decision, view: FleetView, outcome: Outcome) -> ScalingReport:
    """The report of one tick."""
    lines = (_active(decision, view, outcome), _able(decision, view, outcome), _limited(decision, view))
    fields = {
        "mode": "Advisory" if outcome.advisory else "Internal",
        "desired": decision.desired,
        "ready": view.count(PodState.SERVING),
        "loading": view.count(PodState.LOADING),
        "draining": view.count(PodState.DRAINING),
        "queueDepth": round(decision.queue_depth),
        "tokensPerSecond": _rounded(decision.tokens_per_second),
        "capacityTokensPerSecond": _rounded(decision.capacity_tokens_per_second),
        "capacitySource": decision.capacity_source.value,
        "coldStartSeconds": round(decision.start_seconds),
        "reason": decision.reason,
    }
    return ScalingReport(lines, fields)


def _line(kind: ConditionType, holds: bool, reason: Reason, message: str) -> Line:
    return Line(kind, "True" if holds else "False", reason, message)


def _active(decision: Decision, view: FleetView, outcome: Outcome) -> Line:
    kind = ConditionType.SCALING_ACTIVE
    if outcome.foreign:
        return _line(kind, False, Reason.FOREIGN_SCALER, outcome.foreign)
    serving = view.count(PodState.SERVING)
    if decision.blind and serving and len(view.unreached) >= serving:
        return _line(kind, False, Reason.SCRAPE_BLOCKED, _blocked(view, serving))
    if decision.blind:
        told = f"none of {serving} ready engines told its metrics" if serving else "no engine is ready"
        return _line(kind, False, Reason.FAILED_GET_PODS_METRIC, f"{told}: the number of replicas stays")
    if outcome.advisory:
        return _line(kind, False, Reason.ADVISORY, "mode Advisory: what would be done is shown, and nothing is done")
    message = "the autoscaler was able to successfully calculate a replica count from token demand and queue depth"
    return _line(kind, True, Reason.VALID_METRIC_FOUND, message)


def _blocked(view: FleetView, serving: int) -> str:
    """Kubelet's probes reach a Ready pod: what keeps the operator out is a policy or a mesh."""
    meta = view.deployment["metadata"]
    return (
        f"none of {serving} ready engines takes a connection from the operator, while kubelet's probes reach them: "
        f"NetworkPolicy {meta['namespace']}/{meta['name']} lets the operator in, so look for another policy that "
        f"selects them, or for a mesh; port {PORT}; the number of replicas stays"
    )


def _able(decision: Decision, view: FleetView, outcome: Outcome) -> Line:
    kind = ConditionType.ABLE_TO_SCALE
    if outcome.failure:
        return _line(kind, False, Reason.FAILED_UPDATE_SCALE, outcome.failure)
    draining = view.count(PodState.DRAINING)
    if draining:
        word = "replica ends its" if draining == 1 else "replicas end their"
        return _line(kind, True, Reason.DRAINING, f"{draining} {word} last requests before leaving")
    if outcome.rescaled is not None:
        message = f"the autoscaler was able to update the target scale to {outcome.rescaled}"
        return _line(kind, True, Reason.SUCCEEDED_RESCALE, message)
    if decision.limit is Limit.STABILIZED:
        message = "recent recommendations were higher than current one, applying the highest recent recommendation"
        return _line(kind, True, Reason.SCALE_DOWN_STABILIZED, message)
    return _line(kind, True, Reason.READY_FOR_NEW_SCALE, "recommended size matches current size")


def _limited(decision: Decision, view: FleetView) -> Line:
    kind = ConditionType.SCALING_LIMITED
    late = [pod for pod in view.pods if state_of(pod) is PodState.LOADING and _age(pod, view) > _patience(decision)]
    if late:
        message = (
            f"{len(late)} of the replicas not ready after {_age(late[0], view):.0f} s, more than {OVERDUE:.0f} times "
            f"the usual {decision.start_seconds:.0f} s, and not counted on: pod {late[0].name}: {_why(late[0])}"
        )
        return _line(kind, True, Reason.PODS_OVERDUE, message)
    if decision.limit in LIMITS:
        return _line(kind, True, *LIMITS[decision.limit])
    return _line(kind, False, Reason.DESIRED_WITHIN_RANGE, "the desired count is within the acceptable range")


def _age(pod: PodFacts, view: FleetView) -> float:
    return view.clock.wall_seconds - pod.created_at


def _patience(decision: Decision) -> float:
    return OVERDUE * decision.start_seconds


def _why(pod: PodFacts) -> str:
    if pod.unschedulable:
        return pod.unschedulable
    if pod.waiting:
        return pod.waiting
    return pod.termination_message[:300] or ("the engine loads" if pod.node else "waits for a node")


def _rounded(number: float) -> int:
    """Two digits: more would be noise, and a write of the status each time."""
    whole = round(number)
    digits = len(str(abs(whole)))
    return whole if digits <= 2 else round(whole, 2 - digits)
