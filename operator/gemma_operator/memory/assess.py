"""The memory budget of one candidate: both inequalities in one call.

(A) vLLM's share less weights and overheads holds N full-length requests and the null block;
(B) what the share leaves free holds the CUDA context, what is allocated after sizing, and a margin.
Called by the planner; the numbers go into the plan as they are.
"""

import math
from dataclasses import dataclass

from gemma_operator.catalog.variant import Checkpoint, Variant
from gemma_operator.gpus.accelerator import Accelerator
from gemma_operator.memory import overheads
from gemma_operator.memory.budget import MemoryBudget
from gemma_operator.memory.kv_cache import KVCacheLayout, kv_cache_layout
from gemma_operator.memory.settings import EngineSettings
from gemma_operator.memory.weights import checkpoint_bytes_per_rank
from gemma_operator.vllm.profile import engine_profile


@dataclass(frozen=True, slots=True)
class Assessment:
    """A budget and the block arithmetic behind it."""

    budget: MemoryBudget
    layout: KVCacheLayout
    blocks_per_request: int
    num_blocks: int

    @property
    def max_concurrency(self) -> float:
        """Full-length requests that the planned pool holds, as vLLM's log counts them."""
        return self.num_blocks / self.blocks_per_request


def assess(
    variant: Variant,
    checkpoint: Checkpoint,
    accelerator: Accelerator,
    settings: EngineSettings,
    *,
    context_length: int,
    concurrent_requests: int,
    text_only: bool,
    measured_inside_bytes: int | None = None,
    extra_outside_bytes: int = 0,
) -> Assessment:
    """Budget of one rank, in bytes, and the blocks of the pool.

    ``measured_inside_bytes`` replaces the three estimates inside vLLM's share; ``extra_outside_bytes`` adds to
    what is needed outside, after an engine ran out of memory there. Where the engine takes its pool in bytes,
    the pool is exactly what the promise needs.
    """
    profile = engine_profile(accelerator.engine_profile)
    layout = kv_cache_layout(variant.text, settings.tensor_parallel_size, settings.kv_cache_dtype, settings.block_size)
    blocks = layout.blocks_per_request(context_length, settings.in_flight_tokens)
    needed = (concurrent_requests * blocks + 1) * layout.bytes_per_block
    persistent = activation = graphs = 0
    if profile.profiled_overheads:
        if measured_inside_bytes is None:
            persistent = overheads.persistent_bytes(variant, settings)
            activation = overheads.activation_bytes(variant, settings, text_only)
            graphs = overheads.graphs_bytes(settings)
        else:
            persistent = measured_inside_bytes
    budget = MemoryBudget(
        total_bytes=accelerator.total_bytes,
        requested_bytes=math.ceil(accelerator.total_bytes * settings.utilization),
        weights_bytes=checkpoint_bytes_per_rank(variant, checkpoint, settings.tensor_parallel_size, text_only),
        persistent_bytes=persistent,
        activation_bytes=activation,
        graphs_bytes=graphs,
        kv_needed_bytes=needed,
        context_bytes=overheads.context_bytes(accelerator, settings) if profile.profiled_overheads else 0,
        after_sizing_bytes=extra_outside_bytes
        + (overheads.after_sizing_bytes(variant, settings, context_length) if profile.profiled_overheads else 0),
        margin_bytes=overheads.margin_bytes(accelerator) if profile.profiled_overheads else 0,
    )
    pool = needed if profile.kv_pool_by_bytes else max(0, budget.kv_available_bytes)
    return Assessment(budget, layout, blocks, pool // layout.bytes_per_block)
