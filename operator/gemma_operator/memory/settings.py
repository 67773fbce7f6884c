"""The engine settings that a memory budget depends on."""

from dataclasses import dataclass

from gemma_operator.catalog.precision import KVCacheDtype


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """One setting of the engine. Tokens and sequences are counts; ``utilization`` is a share of 0 to 1."""

    tensor_parallel_size: int
    kv_cache_dtype: KVCacheDtype
    block_size: int
    max_num_batched_tokens: int
    max_num_seqs: int
    async_scheduling: bool
    utilization: float

    @property
    def in_flight_tokens(self) -> int:
        """Tokens that may be scheduled and not yet freed: two batches with async scheduling (vllm#49878)."""
        return self.max_num_batched_tokens * (2 if self.async_scheduling else 1)
