"""Overheads that earlier boots have shown: they replace the estimates of the next plan.

The controller measures them from live pools and from refusals, keeps the maximum, and hands them in. A figure
holds for exactly one configuration; cold boots only, since a warm compile cache hides a gigabyte.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OverheadKey:
    """The configuration a measured overhead belongs to; any difference makes it another one."""

    checkpoint: str
    product: str
    tensor_parallel_size: int
    max_num_batched_tokens: int
    max_num_seqs: int
    context_length: int
    modalities: tuple[str, ...]
    kv_cache_dtype: str
    engine_image: str


@dataclass(frozen=True, slots=True)
class MeasuredOverheads:
    """Overhead inside vLLM's share (O + A + G) in bytes per configuration, and what is needed outside of it."""

    inside_bytes: tuple[tuple[OverheadKey, int], ...] = ()
    extra_outside_bytes: tuple[tuple[OverheadKey, int], ...] = ()

    def inside(self, key: OverheadKey) -> int | None:
        """The largest measured overhead of that configuration, or ``None``."""
        return max((size for known, size in self.inside_bytes if known == key), default=None)

    def extra_outside(self, key: OverheadKey) -> int:
        """Bytes to add outside the share, learned from out-of-memory failures after sizing; 0 if none."""
        return max((size for known, size in self.extra_outside_bytes if known == key), default=0)
