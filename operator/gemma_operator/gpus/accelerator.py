"""One GPU product in one memory state.

Made from ``gpus.yaml`` and the labels of a node; the memory room takes ``total_bytes`` and the capability from
it, the manifests the product label for node affinity.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A kind of GPU as vLLM and the scheduler see it.

    ``product`` is the value of the node label ``nvidia.com/gpu.product``. ``total_bytes`` is what CUDA reports,
    the low end of what current drivers show: always less than ``label_memory_mib``, which NVML reports.
    ``total_status`` says how the total is known (exact, computed, estimate).
    """

    id: str
    product: str
    label_memory_mib: int | None
    total_bytes: int
    total_status: str
    compute_capability: tuple[int, int]
    nvlink: bool
    engine_profile: str
    resource: str = "nvidia.com/gpu"
    price_per_hour: float | None = None

    @property
    def memory_gib(self) -> float:
        """The CUDA total in GiB, for messages."""
        return self.total_bytes / 2**30
