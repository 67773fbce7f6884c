"""The memory budget of one candidate: both inequalities in one call.

(A) vLLM's share less weights and overheads holds N full-length requests and the null block;
(B) what the share leaves free holds the CUDA context, what is allocated after sizing, and a margin.
Called by the planner; the numbers go into the plan as they are.
"""

from dataclasses import dataclass

from gemma_operator.catalog.variant import Checkpoint, Variant
from gemma_operator.gpus.accelerator import Accelerator
from gemma_operator.memory.budget import MemoryBudget
from gemma_operator.memory.footprint import footprint
from gemma_operator.memory.kv_cache import KVCacheLayout
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
    frame = footprint(variant, accelerator, settings, text_only=text_only, measured_inside_bytes=measured_inside_bytes)
    needed = frame.kv_needed_bytes(context_length, concurrent_requests)
    budget = MemoryBudget(
        total_bytes=frame.total_bytes,
        requested_bytes=frame.requested_bytes,
        weights_bytes=checkpoint_bytes_per_rank(variant, checkpoint, settings.tensor_parallel_size, text_only),
        persistent_bytes=frame.persistent_bytes,
        activation_bytes=frame.activation_bytes,
        graphs_bytes=frame.graphs_bytes,
        kv_needed_bytes=needed,
        context_bytes=frame.context_bytes,
        after_sizing_bytes=extra_outside_bytes + frame.after_sizing_bytes(context_length),
        margin_bytes=frame.margin_bytes,
    )
    by_bytes = engine_profile(accelerator.engine_profile).kv_pool_by_bytes
    pool = needed if by_bytes else max(0, budget.kv_available_bytes)
    blocks = frame.blocks_per_request(context_length)
    return Assessment(budget, frame.layout, blocks, pool // frame.layout.bytes_per_block)
