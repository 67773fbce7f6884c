"""What an engine takes on one GPU under one setting, before weights and requests are counted.

No context length and no checkpoint changes it, so that planning computes it once and then asks about many lengths and
many weights. ``assess`` makes a budget from it; planning compares its two sums directly.
"""

import math
from dataclasses import dataclass

from gemma_operator.catalog.variant import Variant
from gemma_operator.gpus.accelerator import Accelerator
from gemma_operator.memory import overheads
from gemma_operator.memory.kv_cache import KVCacheLayout, kv_cache_layout
from gemma_operator.memory.settings import EngineSettings
from gemma_operator.vllm.profile import engine_profile


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of one rank, named as in ``MemoryBudget``, and the layout of its pool.

    ``profiled``: the engine has overheads beside weights and pool (its profile says so).
    """

    variant: Variant
    settings: EngineSettings
    profiled: bool
    total_bytes: int
    requested_bytes: int
    persistent_bytes: int
    activation_bytes: int
    graphs_bytes: int
    context_bytes: int
    margin_bytes: int
    layout: KVCacheLayout

    @property
    def inside_bytes(self) -> int:
        """What vLLM's share leaves for weights and pool."""
        return self.requested_bytes - self.persistent_bytes - self.activation_bytes - self.graphs_bytes

    @property
    def outside_bytes(self) -> int:
        """What is left outside of vLLM's share for allocations after the pool was sized."""
        return self.total_bytes - self.requested_bytes - self.context_bytes - self.margin_bytes

    def blocks_per_request(self, context_length: int) -> int:
        """Blocks of one full-length request."""
        return self.layout.blocks_per_request(context_length, self.settings.in_flight_tokens)

    def kv_needed_bytes(self, context_length: int, concurrent_requests: int) -> int:
        """The pool that the promise needs, the null block included."""
        blocks = concurrent_requests * self.blocks_per_request(context_length) + 1
        return blocks * self.layout.bytes_per_block

    def after_sizing_bytes(self, context_length: int) -> int:
        """What the engine allocates outside the pool once it is sized, as far as it is known before a boot."""
        if not self.profiled:
            return 0
        return overheads.after_sizing_bytes(self.variant, self.settings, context_length)


def footprint(
    variant: Variant,
    accelerator: Accelerator,
    settings: EngineSettings,
    *,
    text_only: bool,
    measured_inside_bytes: int | None = None,
) -> Footprint:
    """The footprint of a setting; ``measured_inside_bytes`` replaces the three estimates inside vLLM's share."""
    profiled = engine_profile(accelerator.engine_profile).profiled_overheads
    persistent = activation = graphs = 0
    if profiled and measured_inside_bytes is not None:
        persistent = measured_inside_bytes
    elif profiled:
        persistent = overheads.persistent_bytes(variant, settings)
        activation = overheads.activation_bytes(variant, settings, text_only)
        graphs = overheads.graphs_bytes(settings)
    return Footprint(
        variant=variant,
        settings=settings,
        profiled=profiled,
        total_bytes=accelerator.total_bytes,
        requested_bytes=math.ceil(accelerator.total_bytes * settings.utilization),
        persistent_bytes=persistent,
        activation_bytes=activation,
        graphs_bytes=graphs,
        context_bytes=overheads.context_bytes(accelerator, settings) if profiled else 0,
        margin_bytes=overheads.margin_bytes(accelerator) if profiled else 0,
        layout=kv_cache_layout(
            variant.text, settings.tensor_parallel_size, settings.kv_cache_dtype, settings.block_size
        ),
    )
