"""A GPU product of the table: labels, memory states, capability, speed.

The gpus room matches node labels against it; ``gpus.yaml`` names the source of every figure.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MemoryState:
    """A pair of label memory (MiB, NVML) and CUDA total (bytes) that one product can show: ECC on or off, for example.

    ``total_bytes`` is the low end of what drivers have shown.
    """

    label_memory_mib: int | None
    total_bytes: int
    status: str


@dataclass(frozen=True, slots=True)
class GpuProduct:
    """One product. ``labels`` are values of ``nvidia.com/gpu.product``; the first memory state is the usual one."""

    id: str
    vendor: str
    labels: tuple[str, ...]
    compute_capability: tuple[int, int] | None
    memory_states: tuple[MemoryState, ...]
    nvlink: bool
    bandwidth_gb_per_s: float | None
    bf16_tflops: float | None
    fp8_tflops: float | None
    engine_profile: str = "CUDA"
    price_per_hour: float | None = None
