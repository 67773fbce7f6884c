"""The status from an observation and a choice: the truth table of the API. Pure.

``Ready`` follows generation, roll-out and the promise; ``Available`` only whether anything serves. Times are left to
``report``, which keeps them where a condition has not changed.
"""

from dataclasses import dataclass
from typing import Any

from gemma_operator.api.conditions import ConditionType, Reason
from gemma_operator.api.labels import PAUSED_ANNOTATION
from gemma_operator.controller.choose import Choice, same_engine
from gemma_operator.controller.context_check import ContextCheck, Verdict
from gemma_operator.controller.observation import Observation
from gemma_operator.controller.rollout import RolloutState
from gemma_operator.controller.waiting import waiting_for
from gemma_operator.manifests.service import url
from gemma_operator.planning.decision import Decision, Plan
from gemma_operator.planning.document import memory_document
from gemma_operator.planning.explain import tokens
from gemma_operator.planning.packing import Packing, Way
from gemma_operator.vllm.refusal import Cause, Refusal

MAX_ALTERNATIVES = 5
MAX_REJECTED = 10
MAX_REASONS = 8
PAUSED = f"paused: nothing is created, changed or scaled until the annotation {PAUSED_ANNOTATION} is removed"
EXPLANATION = frozenset({"alternatives", "rejected", "nearest"})


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was found beside the choice: words for the status. Empty strings mean that all is well."""

    foreign_edit: str = ""
    packing: Packing | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One condition without its times."""

    type: ConditionType
    status: str
    reason: Reason
    message: str


def conditions(
    seen: Observation, choice: Choice, state: RolloutState, context: ContextCheck, verdicts: Verdicts
) -> tuple[Line, ...]:
    """All seven conditions, in their order."""
    serving = state.ready > 0 or state.desired == 0
    progressing = _progressing(seen, choice, state, verdicts)
    return (
        _ready(seen, choice, state, context, progressing),
        _line(ConditionType.AVAILABLE, serving, Reason.SERVING if serving else Reason.NOT_SERVING,
              f"{state.ready} of {state.desired} engines serve"),
        progressing,
        _planned(seen, choice),
        Line(ConditionType.CONTEXT_HONORED, context.verdict.value, _context_reason(context), context.message),
        _stalled(choice),
        _degraded(seen, choice, context, verdicts),
    )  # fmt: skip


def _line(kind: ConditionType, holds: bool, reason: Reason, message: str) -> Line:
    return Line(kind, "True" if holds else "False", reason, message)


def _ready(seen: Observation, choice: Choice, state: RolloutState, context: ContextCheck, progressing: Line) -> Line:
    kind = ConditionType.READY
    if choice.refusal is not None and not choice.fits:
        return _line(kind, False, _refusal_reason(choice.refusal), refused(choice.refusal, choice))
    if not choice.fits:
        return _line(kind, False, Reason.PLAN_IMPOSSIBLE, impossible(choice.decision))
    if seen.deployment_object.spec.plan_only:
        return _line(kind, False, Reason.PLAN_ONLY, "planOnly is set: nothing is created or changed")
    if choice.held_back or (seen.paused and not state.exists):
        return _line(kind, False, Reason.PAUSED, f"{PAUSED}; what is asked for does not run")
    if context.verdict is Verdict.BROKEN:
        return _line(kind, False, Reason.CONTEXT_NOT_HONORED, context.message)
    if choice.refusal is not None and not state.done:
        return _line(kind, False, _refusal_reason(choice.refusal), refused(choice.refusal, choice))
    if choice.rolled_back:
        return _line(kind, False, Reason.ROLLOUT_TIMED_OUT, rolled_back(choice))
    if not state.done:
        return _line(kind, False, progressing.reason, progressing.message)
    return _line(kind, True, Reason.SERVING, f"{state.ready} of {state.desired} engines serve this generation")


def _progressing(seen: Observation, choice: Choice, state: RolloutState, verdicts: Verdicts) -> Line:
    kind = ConditionType.PROGRESSING
    if seen.deployment_object.spec.plan_only or choice.record is None:
        return _line(kind, False, Reason.AS_EXPECTED, "nothing is under way")
    if seen.paused:
        return _line(kind, False, Reason.PAUSED, PAUSED)
    if verdicts.packing is not None and verdicts.packing.way is Way.REFUSE:
        return _line(kind, True, Reason.ROLLOUT_REFUSED, verdicts.packing.message)
    if state.done:
        return _line(kind, False, Reason.ROLLED_OUT, f"{state.updated} of {state.desired} engines run this plan")
    if state.timed_out:
        return _line(kind, False, Reason.ROLLOUT_TIMED_OUT, "the new engines did not start within the start-up budget")
    reason, message = waiting_for(seen, choice)
    if verdicts.packing is not None:
        message = f"{message}; {verdicts.packing.message}"
    return _line(kind, True, reason, message)


def _planned(seen: Observation, choice: Choice) -> Line:
    kind = ConditionType.PLANNED
    if not choice.fits:
        return _line(kind, False, Reason.PLAN_IMPOSSIBLE, impossible(choice.decision))
    better = better_plan(seen, choice)
    decided = choice.decision.plan if choice.decision else None
    plan = choice.record.plan if choice.record else decided
    message = "; ".join(plan.reasons[:3]) if plan else "planned by another version of the operator"
    if better is not None:
        message = f"{message}; planned today it would be {better.name}, which is not taken while this one runs"
    return _line(kind, True, Reason.PLANNED, message)


def better_plan(seen: Observation, choice: Choice) -> Plan | None:
    """What would be planned today where another plan is pinned: reported, not taken.

    Not while the pinned plan's own cards are out of sight: another plan is no better because nodes are down.
    """
    today = choice.decision.plan if choice.decision else None
    pinned = choice.record.plan if choice.record else None
    if not choice.pinned or not choice.fits or today is None or pinned is None or same_engine(today, pinned):
        return None
    if all(group.accelerator.product != pinned.accelerator.product for group in seen.inventory.groups):
        return None
    return today


def _context_reason(context: ContextCheck) -> Reason:
    return {
        Verdict.HONORED: Reason.CONTEXT_HONORED,
        Verdict.BROKEN: Reason.CONTEXT_NOT_HONORED,
        Verdict.UNKNOWN: Reason.CONTEXT_UNKNOWN,
    }[context.verdict]


def _stalled(choice: Choice) -> Line:
    if not choice.fits:
        return _line(ConditionType.STALLED, True, Reason.PLAN_IMPOSSIBLE, "the ask as it stands can't be planned")
    return _line(ConditionType.STALLED, False, Reason.AS_EXPECTED, "nothing is in the way")


def _degraded(seen: Observation, choice: Choice, context: ContextCheck, verdicts: Verdicts) -> Line:
    kind = ConditionType.DEGRADED
    if choice.refusal is not None:
        return _line(kind, True, _refusal_reason(choice.refusal), refused(choice.refusal, choice))
    if not choice.fits:
        return _line(kind, True, Reason.PLAN_IMPOSSIBLE, impossible(choice.decision))
    if context.verdict is Verdict.BROKEN:
        return _line(kind, True, Reason.CONTEXT_NOT_HONORED, context.message)
    if choice.rolled_back:
        return _line(kind, True, Reason.ROLLOUT_TIMED_OUT, rolled_back(choice))
    if verdicts.foreign_edit:
        return _line(kind, True, Reason.FOREIGN_EDIT, verdicts.foreign_edit)
    if seen.catalog_problems:
        return _line(kind, True, Reason.CATALOG_INVALID, "; ".join(seen.catalog_problems))
    return _line(kind, False, Reason.AS_EXPECTED, "nothing is in the way")


def rolled_back(choice: Choice) -> str:
    """What runs, why not the newest plan, and how to try that again."""
    return (
        f"the last good plan runs: the new one did not start in time ({choice.rolled_back}); "
        "change the spec to try again"
    )


def _refusal_reason(refusal: Refusal) -> Reason:
    return Reason.ENGINE_FAILED if refusal.cause is Cause.OTHER else Reason.MEMORY_REFUSED


def impossible(decision: Decision | None) -> str:
    """Why nothing fits and what would, in one sentence."""
    if decision is None:
        return "the ask can't be planned"
    why = decision.rejected[0].message if decision.rejected else "no plan but the refused one fits"
    near = "; ".join(f"{fit.change} → {fit.plan.name}" for fit in decision.nearest[:3])
    return f"{why}. What would fit: {near}" if near else f"{why}. Nothing near would fit"


def refused(refusal: Refusal, choice: Choice) -> str:
    """The engine's refusal with both numbers, and what was done about it."""
    if refusal.cause is Cause.OTHER:
        return f"the engine ended: {refusal.sentence[:600]}"
    if not choice.fits:
        done = "no other plan fits"
    elif choice.record is not None and choice.record.refusals:
        done = "planned once more with the corrected overhead"
    else:
        done = "the node's memory is used by others"
    return f"the engine refused to start ({refusal.cause}): {refusal.sentence[:500]}; {done}"


def status_fields(seen: Observation, choice: Choice, state: RolloutState) -> dict[str, Any]:
    """Everything of the status but conditions and times."""
    plan = choice.record.plan if choice.record else None
    would_run = seen.deployment_object.spec.plan_only or choice.held_back or not state.exists
    proposed = choice.decision.plan if choice.decision and seen.hands_off and would_run else better_plan(seen, choice)
    fields: dict[str, Any] = {
        "observedGeneration": seen.generation,
        "replicas": state.replicas,
        "readyReplicas": state.ready,
        "desiredReplicas": state.desired,
        "selector": ",".join(f"{key}={value}" for key, value in seen.owner.selector.items()),
        "url": url(seen.owner),
        "summary": _summary(seen, plan or proposed, state),
    }
    if plan is not None and state.exists:
        fields["plan"] = plan_status(plan, choice.record.plan_hash if choice.record else "")
    if proposed is not None:
        fields["proposedPlan"] = plan_status(proposed, "")
    return fields | _explanation(seen, choice)


def _explanation(seen: Observation, choice: Choice) -> dict[str, Any]:
    """Why this plan and no other. Once a plan is pinned this stands: nodes that come and go do not move it."""
    old = seen.old_status
    if choice.pinned and old.get("observedGeneration") == seen.generation and old.keys() >= EXPLANATION:
        return {name: old[name] for name in sorted(EXPLANATION)}
    if (decision := choice.decision) is None:
        return {}
    rejected = decision.rejected[:MAX_REJECTED]
    return {
        "alternatives": [{"plan": other.name} for other in decision.alternatives[:MAX_ALTERNATIVES]],
        "rejected": [{"reason": item.reason, "message": item.message} for item in rejected],
        "nearest": [{"change": fit.change, "plan": fit.plan.name} for fit in decision.nearest],
    }


def plan_status(plan: Plan, input_hash: str) -> dict[str, Any]:
    """A plan in the status's form; figures with decimals are texts, as the API has no floats."""
    fields = {
        "variant": plan.variant,
        "checkpoint": plan.checkpoint,
        "quantization": plan.quantization.value,
        "kvCacheDtype": plan.kv_cache_dtype.value,
        "accelerator": plan.accelerator.product,
        "tensorParallelSize": plan.tensor_parallel_size,
        "contextLength": plan.context_length,
        "concurrentRequests": plan.concurrent_requests,
        "maxConcurrency": f"{plan.max_concurrency:.2f}",
        "maxNumBatchedTokens": plan.launch.max_num_batched_tokens,
        "maxNumSeqs": plan.launch.max_num_seqs,
        "asyncScheduling": plan.launch.async_scheduling,
        "gpuMemoryUtilization": f"{plan.launch.gpu_memory_utilization:.2f}",
        "tight": plan.tight,
        "memory": memory_document(plan.memory),
        "inputHash": input_hash,
        "reasons": list(plan.reasons[:MAX_REASONS]),
    }
    return fields | ({"revision": plan.revision} if plan.revision else {})


def _summary(seen: Observation, plan: Plan | None, state: RolloutState) -> dict[str, str]:
    summary = {
        "ready": f"{state.ready}/{state.desired}",
        "input": ",".join(seen.deployment_object.spec.model.modalities),
    }
    if plan is not None:
        summary["model"] = f"{plan.variant} {plan.quantization}"
        summary["gpus"] = f"{plan.tensor_parallel_size}×{plan.accelerator.id}"
        summary["context"] = tokens(plan.context_length)
    return summary
