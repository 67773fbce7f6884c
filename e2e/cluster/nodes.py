"""Simulated GPU nodes as GPU feature discovery would label them."""

from collections.abc import Iterator
from typing import Any

from e2e.cluster.kwok import ANNOTATION

SIMULATED_LABEL = "gemma-operator.io/simulated"


def gpu_labels(product: str, memory_mib: int, capability: str, count: int) -> dict[str, str]:
    """The labels that matter, as GPU feature discovery writes them."""
    major, minor = capability.split(".")
    return {
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.product": product,
        "nvidia.com/gpu.memory": str(memory_mib),
        "nvidia.com/gpu.count": str(count),
        "nvidia.com/gpu.replicas": "1",
        "nvidia.com/gpu.sharing-strategy": "none",
        "nvidia.com/gpu.compute.major": major,
        "nvidia.com/gpu.compute.minor": minor,
        "nvidia.com/cuda.driver-version.full": "580.95.05",
    }


def simulated_gpu_nodes(
    prefix: str, product: str, memory_mib: int, capability: str, gpus: int, nodes: int
) -> Iterator[dict[str, Any]]:
    """Node objects for the API: ``gpus`` whole GPUs each, and a host that is large enough for them."""
    amounts = {"cpu": "128", "memory": "1Ti", "ephemeral-storage": "4Ti", "pods": "110", "nvidia.com/gpu": str(gpus)}
    for index in range(nodes):
        name = f"{prefix}-{index}"
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "annotations": {ANNOTATION: "fake"},
                "labels": gpu_labels(product, memory_mib, capability, gpus)
                | {SIMULATED_LABEL: "true", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
            },
            "status": {"capacity": amounts, "allocatable": amounts},
        }
