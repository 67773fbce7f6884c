"""Which plan record is in force, and whether it is kept, rendered anew, or made. Pure.

A plan is pinned once a pod of it was Ready; until then it follows the inventory. "No plan" is never a pin: what
runs goes on. A pinned plan is compared with what would be planned today, so that a better one is reported, and not
taken. An engine that refused its memory corrects the overhead and gets exactly one new plan.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from gemma_operator.api import labels
from gemma_operator.controller.learned import with_overhead
from gemma_operator.controller.observation import KnownRecord, Observation
from gemma_operator.manifests.engine_pod import engine_template
from gemma_operator.memory.measured import MeasuredOverheads
from gemma_operator.planning.decision import Decision, Plan
from gemma_operator.planning.overhead_key import key_of_plan
from gemma_operator.planning.record import PlanRecord, digest, plan_hash
from gemma_operator.planning.snapshot import Snapshot
from gemma_operator.vllm.refusal import Cause, Refusal, parse_refusal

GIB = 2**30
PLAN_AT_FAULT = frozenset({Cause.POOL_TOO_SMALL, Cause.NO_POOL, Cause.OUT_OF_MEMORY})
OUTSIDE_STEP_BYTES = GIB // 2
"""What an out-of-memory failure after sizing adds to the need outside vLLM's share, beyond what seemed spare."""

Planner = Callable[[Snapshot], Decision]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is in force. ``record`` is ``None`` when there is nothing to run.

    ``fits`` is false when the ask as it stands is impossible; ``record`` is then the older plan that goes on.
    ``decision`` is what planning says today; ``refusal`` is there when an engine of this record ended badly;
    ``rolled_back`` says why the newest record is not in force, empty where it is. ``held_back``: something else than
    ``record`` would run if it might; what, says ``decision``.
    """

    record: PlanRecord | None
    revision: int
    fits: bool
    pinned: bool
    decision: Decision | None
    refusal: Refusal | None
    rolled_back: str = ""
    held_back: bool = False


def choose(seen: Observation, scripts: Mapping[str, str], planner: Planner) -> Choice:
    """The choice for an observation. ``scripts`` are those of this operator; recorded ones stay in force."""
    choice = _choose(seen, scripts, planner)
    return _held_back(seen, choice) if seen.hands_off else choice


def _held_back(seen: Observation, choice: Choice) -> Choice:
    """Paused, or asked for a plan alone: what the Deployment runs is in force, whatever would be chosen."""
    running = _template_digest((seen.deployment or {}).get("spec", {}).get("template") or {})
    known = next((known for known in seen.records if running and template_digest(known.record) == running), None)
    if known is None or choice.record is None or template_digest(choice.record) == running:
        return choice
    return replace(choice, record=known.record, revision=known.revision, pinned=known.pinned, held_back=True)


def _choose(seen: Observation, scripts: Mapping[str, str], planner: Planner) -> Choice:
    newest = seen.records[0] if seen.records else None
    good = next((known for known in seen.records if known.good), None)
    if newest is None or newest.record.plan_hash != planning_hash(seen):
        return _plan_anew(seen, scripts, planner, newest, fallback=good or newest)
    if newest.failure and good is not None and newest.record.pods_hash == _pods_hash(seen):
        return replace(_kept(good, fits=True), rolled_back=newest.failure)
    refusal = _refusal(seen, newest.record)
    if refusal is not None and refusal.cause in PLAN_AT_FAULT and newest.record.refusals == 0:
        return _after_refusal(seen, scripts, planner, newest, refusal)
    if not newest.pinned:
        return replace(_follow_inventory(seen, scripts, planner, newest), refusal=refusal)
    today = planner(Snapshot(seen.ask, seen.inventory, seen.catalog, _measured(seen, newest)))
    kept = _rendered(seen, scripts, newest)
    return replace(kept, refusal=refusal, decision=today if today.plan is not None else None)


def _kept(known: KnownRecord, fits: bool, decision: Decision | None = None) -> Choice:
    return Choice(known.record, known.revision, fits, known.pinned, decision, None)


def _plan_anew(
    seen: Observation,
    scripts: Mapping[str, str],
    planner: Planner,
    newest: KnownRecord | None,
    fallback: KnownRecord | None,
) -> Choice:
    measured = _measured(seen, newest)
    decision = planner(Snapshot(seen.ask, seen.inventory, seen.catalog, measured))
    if decision.plan is None:
        if fallback is None:
            return Choice(None, 0, False, False, decision, None)
        return _kept(fallback, fits=False, decision=decision)
    record = _record(seen, scripts, decision.plan, measured, 0)
    return Choice(record, _next_revision(seen), True, False, decision, None)


def _follow_inventory(seen: Observation, scripts: Mapping[str, str], planner: Planner, newest: KnownRecord) -> Choice:
    """Before the first Ready pod a better place may appear, or the place may go."""
    decision = planner(Snapshot(seen.ask, seen.inventory, seen.catalog, _measured(seen, newest)))
    if decision.plan is None:
        return _kept(newest, fits=False, decision=decision)
    if newest.record.plan is not None and same_engine(decision.plan, newest.record.plan):
        return replace(_rendered(seen, scripts, newest), decision=decision)
    record = _record(seen, scripts, decision.plan, _measured(seen, newest), newest.record.refusals)
    return Choice(record, _next_revision(seen), True, False, decision, None)


def _rendered(seen: Observation, scripts: Mapping[str, str], known: KnownRecord) -> Choice:
    """The same plan; new pods only when what the spec says about pods has changed."""
    if known.record.pods_hash == _pods_hash(seen) or known.record.plan is None:
        return _kept(known, fits=True)
    old = known.record
    record = _record(seen, scripts, known.record.plan, old.measured, old.refusals)
    return Choice(record, _next_revision(seen), True, known.pinned, None, None)


def _after_refusal(
    seen: Observation, scripts: Mapping[str, str], planner: Planner, newest: KnownRecord, refusal: Refusal
) -> Choice:
    """Correct the overhead by what the engine said, and plan once more."""
    plan = newest.record.plan
    if plan is None:
        return replace(_kept(newest, fits=True), refusal=refusal)
    measured = _corrected(_measured(seen, newest), plan, seen.ask.engine_image, refusal)
    decision = planner(Snapshot(seen.ask, seen.inventory, seen.catalog, measured))
    if decision.plan is None or same_engine(decision.plan, plan):
        return replace(_kept(newest, fits=False, decision=decision), refusal=refusal)
    record = _record(seen, scripts, decision.plan, measured, newest.record.refusals + 1)
    return Choice(record, _next_revision(seen), True, False, decision, refusal)


def _corrected(measured: MeasuredOverheads, plan: Plan, engine_image: str, refusal: Refusal) -> MeasuredOverheads:
    key = key_of_plan(plan, engine_image)
    if refusal.available_bytes is not None:
        inside = plan.memory.requested_bytes - plan.memory.weights_bytes - refusal.available_bytes
        return replace(measured, inside_bytes=(*measured.inside_bytes, (key, inside)))
    if refusal.cause is Cause.NO_POOL:
        inside = plan.memory.requested_bytes - plan.memory.weights_bytes
        return replace(measured, inside_bytes=(*measured.inside_bytes, (key, inside)))
    # What was thought to be spare outside the share was not there either.
    more = measured.extra_outside(key) + max(0, plan.memory.outside_spare_bytes) + OUTSIDE_STEP_BYTES
    return replace(measured, extra_outside_bytes=(*measured.extra_outside_bytes, (key, more)))


def _refusal(seen: Observation, record: PlanRecord) -> Refusal | None:
    """What an engine of this record said when it ended; a pod that serves now has nothing to complain of."""
    digest_ = template_digest(record)
    for pod in seen.pods:
        if pod.template_digest == digest_ and not pod.ready and not pod.terminating:
            refusal = parse_refusal(pod.termination_message)
            if refusal is not None:
                return refusal
    return None


def template_digest(record: PlanRecord) -> str:
    """The digest that pods of this record carry."""
    return _template_digest(record.template)


def _template_digest(template: Mapping[str, Any]) -> str:
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(labels.PLAN_HASH_ANNOTATION, ""))


def same_engine(new: Plan, old: Plan) -> bool:
    """Whether the pods would be the same; reasons and free GPUs may differ."""
    return (new.args, new.accelerator.product, new.host) == (old.args, old.accelerator.product, old.host)


def _record(
    seen: Observation, scripts: Mapping[str, str], plan: Plan, measured: MeasuredOverheads, refusals: int
) -> PlanRecord:
    template = engine_template(seen.owner, plan, seen.settings, scripts)
    return PlanRecord(planning_hash(seen), _pods_hash(seen), plan, template, dict(scripts), measured, refusals)


def planning_hash(seen: Observation) -> str:
    """Key of the planning inputs, as the user gave them."""
    return plan_hash(seen.ask if _names_image(seen) else replace(seen.ask, engine_image=""))


def _pods_hash(seen: Observation) -> str:
    """Key of what the spec says about pods. Empty settings are left out, as defaults are in the planning hash."""
    settings = asdict(seen.settings if _names_image(seen) else replace(seen.settings, image=""))
    return digest({name: value for name, value in settings.items() if value})


def _names_image(seen: Observation) -> bool:
    """The operator's own default is no input: a new one must not restart what an older operator started."""
    return seen.deployment_object.spec.engine.image is not None


def _measured(seen: Observation, known: KnownRecord | None) -> MeasuredOverheads:
    """What earlier boots have shown, that of the newest record included."""
    if known is None:
        return MeasuredOverheads()
    return with_overhead(known.record.measured, known.record.plan, seen.ask.engine_image, known.overhead_bytes)


def _next_revision(seen: Observation) -> int:
    return max((known.revision for known in seen.records), default=0) + 1
