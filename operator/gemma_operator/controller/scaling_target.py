"""What reconcile hands to the scaling loop, and what of the loop's words goes into the status. Pure."""

from gemma_operator.api.conditions import SCALING, ConditionType, Reason
from gemma_operator.controller.choose import Choice, template_digest
from gemma_operator.controller.observation import Observation
from gemma_operator.controller.scaling_loop import Target
from gemma_operator.controller.scaling_report import ScalingReport
from gemma_operator.controller.scaling_settings import scaling_settings
from gemma_operator.controller.status import Line
from gemma_operator.manifests.drain_time import drain_timeout_seconds


def scaling_target(seen: Observation, choice: Choice) -> Target | None:
    """The target, or ``None`` where the operator does not scale: no autoscaling, mode External, nothing that runs."""
    spec = seen.deployment_object.spec
    record = choice.record
    if spec.autoscaling is None or spec.autoscaling.mode == "External" or seen.hands_off:
        return None
    if record is None or record.plan is None:
        return None
    return Target(
        live=seen.live,
        owner=seen.owner,
        settings=scaling_settings(spec.autoscaling, record.plan, seen.catalog.products),
        advisory=not spec.scales_itself,
        digest=template_digest(record),
        drain_timeout_seconds=drain_timeout_seconds(spec.rollout.drain_timeout_seconds, record.plan),
    )


def scaling_status(seen: Observation, report: ScalingReport | None) -> ScalingReport:
    """Lines and fields for the status. Before the loop has looked (after a restart) the status says what it said."""
    autoscaling = seen.deployment_object.spec.autoscaling
    if autoscaling is None:
        return ScalingReport((), {})
    if autoscaling.mode == "External":
        return ScalingReport((), {"autoscaling": {"mode": "External"}})
    if report is not None:
        return ScalingReport(report.lines, {"autoscaling": dict(report.fields)})
    old = seen.old_status.get("autoscaling") or {}
    if old.get("mode") != autoscaling.mode:
        return ScalingReport((), {"autoscaling": {"mode": autoscaling.mode}})
    return ScalingReport(_old_lines(seen), {"autoscaling": old})


def _old_lines(seen: Observation) -> tuple[Line, ...]:
    return tuple(
        Line(ConditionType(item["type"]), item["status"], Reason(item["reason"]), item["message"])
        for item in seen.old_status.get("conditions") or ()
        if item["type"] in SCALING
    )
