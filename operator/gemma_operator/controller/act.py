"""Brings the owned objects to what the choice says; every write is fenced and repeatable.

A crash between any two writes is safe: the next reconcile sees what is there and goes on. Raises ``NameTakenError``
and ``ApiError``.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

from gemma_operator.controller.choose import Choice
from gemma_operator.controller.observation import KnownRecord, Observation
from gemma_operator.controller.rollout import strategy
from gemma_operator.controller.status import Verdicts
from gemma_operator.kube.apply import OUR_MANAGERS, Applied, FieldManager, apply_replicas, ensure, strip_template
from gemma_operator.kube.client import Client
from gemma_operator.kube.drift import foreign_fields
from gemma_operator.kube.resources import CONTROLLER_REVISIONS, JsonObject
from gemma_operator.manifests.deployment import deployment
from gemma_operator.manifests.disruption_budget import disruption_budget
from gemma_operator.manifests.network_policy import network_policy
from gemma_operator.manifests.plan_revision import (
    FAILED_ANNOTATION,
    OVERHEAD_ANNOTATION,
    PINNED_ANNOTATION,
    plan_revision,
)
from gemma_operator.manifests.scripts import scripts_config_map
from gemma_operator.manifests.service import service
from gemma_operator.manifests.service_account import service_account
from gemma_operator.planning.packing import Packing
from gemma_operator.planning.record import PlanRecord

KEPT_RECORDS = 3
MOST_CHARACTERS = 600
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


async def act(client: Client, seen: Observation, choice: Choice, packing: Packing | None) -> Verdicts:
    """Apply everything of the record in force. Without a record there is nothing to do."""
    record = choice.record
    if record is None:
        return Verdicts()
    owner, uid = seen.owner, seen.owner.uid
    objects = [
        plan_revision(owner, record, choice.revision),
        service_account(owner),
        scripts_config_map(owner, record.scripts),
        service(owner),
        disruption_budget(owner),
        network_policy(owner, _fetches(seen), seen.operator_namespace, seen.deployment_object.spec.access),
    ]
    # The record goes first: whatever else exists must be explained by one.
    await ensure(client, objects[0], uid)
    await _all(*(ensure(client, wanted, uid) for wanted in objects[1:]))
    applied = await _apply_deployment(client, seen, record, packing)
    foreign = await _remove_foreign(client, record, applied)
    await _tidy(client, seen)
    return Verdicts(foreign_edit=foreign, packing=packing)


async def _all(*writes: Awaitable[Applied]) -> None:
    """All at once; ends when each has ended, so that none is still under way when the key is worked on again."""
    for outcome in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _fetches(seen: Observation) -> bool:
    """Whether the engine asks somebody outside: the Hub for weights, or allowed domains for media."""
    return seen.settings.claim_name is None or bool(seen.ask.media.allowed_domains)


async def _apply_deployment(client: Client, seen: Observation, record: PlanRecord, packing: Packing | None) -> Applied:
    settings, replicas = seen.settings, seen.replicas_to_write
    drain_seconds = int(record.template["spec"]["terminationGracePeriodSeconds"])
    deadline = settings.startup_budget_seconds + drain_seconds
    template = _with_restart(dict(record.template), seen.deployment)
    wanted = deployment(seen.owner, template, strategy(seen, packing), deadline)
    applied = await ensure(client, wanted, seen.owner.uid)
    if replicas is not None and applied.live is not None and applied.live["spec"].get("replicas") != replicas:
        live = await apply_replicas(client, applied.live, replicas)
        return replace(applied, live=live)
    return applied


def _with_restart(template: JsonObject, live: JsonObject | None) -> JsonObject:
    """``kubectl rollout restart`` is the user's right: its annotation stays."""
    metadata = ((live or {}).get("spec", {}).get("template") or {}).get("metadata") or {}
    restarted = (metadata.get("annotations") or {}).get(RESTARTED_AT)
    if restarted is None:
        return template
    annotations = (template["metadata"].get("annotations") or {}) | {RESTARTED_AT: restarted}
    return {**template, "metadata": {**template["metadata"], "annotations": annotations}}


async def _remove_foreign(client: Client, record: PlanRecord, applied: Applied) -> str:
    """Name what others did to the pod template, and remove what they added.

    Changed values are ours again by the apply; a sidecar or hostNetwork survives one and is stripped.
    """
    if applied.live is None:
        return ""
    added = _foreign(applied.live)
    named = (_foreign(applied.before) if applied.before else {}) | added
    if added:
        await strip_template(client, applied.live, _with_restart(dict(record.template), applied.live))
    if not named:
        return ""
    told = "; ".join(f"{manager} set {', '.join(paths[:4])}" for manager, paths in sorted(named.items()))
    return f"put right in the Deployment's pod template: {told}"


def _foreign(live: JsonObject) -> dict[str, list[str]]:
    """What others own in the pod template, by manager; the annotation of ``kubectl rollout restart`` is theirs."""
    owned = foreign_fields(live, ("spec", "template"), OUR_MANAGERS)
    kept = {manager: [path for path in paths if RESTARTED_AT not in path] for manager, paths in owned.items()}
    return {manager: paths for manager, paths in kept.items() if paths}


async def _tidy(client: Client, seen: Observation) -> None:
    """Keep the newest records and the newest good one."""
    good = next((known for known in seen.records if known.good), None)
    for known in seen.records[KEPT_RECORDS:]:
        if known is not good:
            await client.delete(CONTROLLER_REVISIONS, known.live)


async def mark_pinned(client: Client, known: KnownRecord, overhead_bytes: int | None) -> None:
    """Note on a record that a pod of it was Ready, and what its boot has taught."""
    learned = {} if overhead_bytes is None else {OVERHEAD_ANNOTATION: str(overhead_bytes)}
    await _annotate(client, known, {PINNED_ANNOTATION: "true"} | learned)


async def mark_failed(client: Client, known: KnownRecord, why: str) -> None:
    """Note on a record that it did not start in time, and what was last seen of it."""
    await _annotate(client, known, {FAILED_ANNOTATION: why[:MOST_CHARACTERS]})


async def _annotate(client: Client, known: KnownRecord, annotations: dict[str, str]) -> None:
    meta = known.live["metadata"]
    change = {"metadata": {"uid": meta["uid"], "annotations": annotations}}
    await client.patch(CONTROLLER_REVISIONS, meta["namespace"], meta["name"], change, manager=FieldManager.OBJECTS)
