"""Is the promise kept on the running pods? Compares the plan with what each ready engine says of its pool. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gemma_operator.controller.pod_facts import PodFacts
from gemma_operator.planning.decision import Plan
from gemma_operator.vllm.metrics import LivePool


class Verdict(StrEnum):
    """As the status of a condition."""

    HONORED = "True"
    BROKEN = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class ContextCheck:
    """The verdict over all ready pods and its sentence with both numbers."""

    verdict: Verdict
    message: str


def check_context(
    plan: Plan | None, pods: tuple[PodFacts, ...], pools: Mapping[str, LivePool | None], template: str = ""
) -> ContextCheck:
    """One broken pod is enough for BROKEN; nobody answering is UNKNOWN, never a success.

    With ``template``, the digest of the plan's pods, others don't count: during a roll-out they keep an older promise.
    """
    if plan is None:
        return ContextCheck(Verdict.UNKNOWN, "no plan is in force")
    if template:
        meant = {pod.uid for pod in pods if pod.template_digest == template}
        pools = {uid: pool for uid, pool in pools.items() if uid in meant}
    names = {pod.uid: pod.name for pod in pods}
    known = {names.get(uid, uid): pool for uid, pool in pools.items() if pool is not None}
    for name, pool in sorted(known.items()):
        broken = _broken(plan, name, pool)
        if broken:
            return ContextCheck(Verdict.BROKEN, broken)
    if not known:
        asked = f"{len(pools)} ready pods did not answer" if pools else "no pod is ready"
        return ContextCheck(Verdict.UNKNOWN, f"the pool has not been seen: {asked}")
    least = min(known.values(), key=lambda pool: pool.max_concurrency)
    silent = len(pools) - len(known)
    message = (
        f"{len(known)} of {len(pools)} ready pods hold {plan.concurrent_requests} × {plan.context_length:,} tokens; "
        f"the smallest pool holds {least.max_concurrency:.2f}"
    )
    return ContextCheck(Verdict.HONORED, message + (f"; {silent} did not answer" if silent else ""))


def _broken(plan: Plan, name: str, pool: LivePool) -> str:
    if pool.max_model_len < plan.context_length:
        return f"pod {name} runs with a context of {pool.max_model_len:,} tokens, promised are {plan.context_length:,}"
    needed = plan.concurrent_requests * pool.blocks_per_request + 1
    if pool.num_blocks < needed:
        return f"pod {name} has {pool.num_blocks:,} KV blocks, the promise needs {needed:,}"
    return ""
