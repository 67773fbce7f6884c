"""What a live engine teaches about its memory: the real overhead inside vLLM's share, for the next plan. Pure.

Source: the pool that vLLM sized, ``requested − weights − overhead = blocks × bytes per block``. Only pods that never
restarted count: a warm compile cache hides up to a gigabyte, and the next pod on a new node boots cold.
"""

from collections.abc import Mapping
from dataclasses import replace

from gemma_operator.controller.pod_facts import PodFacts
from gemma_operator.memory.measured import MeasuredOverheads
from gemma_operator.planning.decision import Plan
from gemma_operator.planning.overhead_key import key_of_plan
from gemma_operator.vllm.metrics import LivePool
from gemma_operator.vllm.profile import engine_profile


def overhead_bytes(plan: Plan, pods: tuple[PodFacts, ...], pools: Mapping[str, LivePool | None]) -> int | None:
    """The largest overhead seen on cold-booted ready pods, in bytes of one GPU; ``None`` where none can be known.

    Pools that are given in bytes (engine profile, or a tight plan) teach nothing.
    """
    if plan.launch.kv_cache_memory_bytes is not None or not engine_profile(plan.launch.profile).profiled_overheads:
        return None
    cold = {pod.uid for pod in pods if pod.restarts == 0}
    share = plan.memory.requested_bytes - plan.memory.weights_bytes
    seen = [
        share - pool.num_blocks * plan.bytes_per_block
        for uid, pool in pools.items()
        if pool is not None and uid in cold
    ]
    return max((size for size in seen if size > 0), default=None)


def with_overhead(
    known: MeasuredOverheads, plan: Plan | None, engine_image: str, inside: int | None
) -> MeasuredOverheads:
    """What is known, and this figure for the plan's configuration. The maximum counts, so order does not matter."""
    if plan is None or inside is None:
        return known
    entry = (key_of_plan(plan, engine_image), inside)
    return known if entry in known.inside_bytes else replace(known, inside_bytes=(*known.inside_bytes, entry))
