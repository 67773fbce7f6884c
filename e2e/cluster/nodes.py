"""Simulated GPU nodes as GPU feature discovery would label them."""

from collections.abc import Iterator
from typing import Any

from e2e.cluster.kwok import ANNOTATION

SIMULATED_LABEL = "gemma-operator.io/simulated"
DRIVER = "580.95.05"
FAMILIES = {"7.0": "volta", "7.5": "turing", "8.9": "ada-lovelace", "8": "ampere", "9": "hopper"}
"""What ``nvidia.com/gpu.family`` says, by compute capability or its major part; newer ones say blackwell."""


def gpu_labels(product: str, memory_mib: int, capability: str, count: int) -> dict[str, str]:
    """The labels of whole GPUs, as GPU feature discovery writes them.

    ``product`` is a value of ``nvidia.com/gpu.product``, ``memory_mib`` what NVML calls the total, ``capability``
    the compute capability as in ``8.9``.
    """
    major, minor = capability.split(".")
    driver_major, driver_minor, driver_revision = DRIVER.split(".")
    return {
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.product": product,
        "nvidia.com/gpu.memory": str(memory_mib),
        "nvidia.com/gpu.count": str(count),
        "nvidia.com/gpu.replicas": "1",
        "nvidia.com/gpu.sharing-strategy": "none",
        "nvidia.com/gpu.family": FAMILIES.get(capability) or FAMILIES.get(major, "blackwell"),
        "nvidia.com/gpu.machine": "simulated",
        "nvidia.com/gpu.mode": "compute",
        "nvidia.com/mig.capable": "false",
        "nvidia.com/gpu.compute.major": major,
        "nvidia.com/gpu.compute.minor": minor,
        "nvidia.com/cuda.driver-version.full": DRIVER,
        "nvidia.com/cuda.driver-version.major": driver_major,
        "nvidia.com/cuda.driver-version.minor": driver_minor,
        "nvidia.com/cuda.driver-version.revision": driver_revision,
        "nvidia.com/cuda.runtime-version.full": "13.0",
        "nvidia.com/cuda.runtime-version.major": "13",
        "nvidia.com/cuda.runtime-version.minor": "0",
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
                | {
                    SIMULATED_LABEL: "true",
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                },
            },
            "status": {"capacity": amounts, "allocatable": amounts, "nodeInfo": _system(name)},
        }


def _system(name: str) -> dict[str, str]:
    return {
        "architecture": "amd64",
        "operatingSystem": "linux",
        "osImage": "simulated",
        "kernelVersion": "simulated",
        "kubeletVersion": "v1.37.2",
        "kubeProxyVersion": "",
        "containerRuntimeVersion": "kwok://simulated",
        "machineID": name,
        "systemUUID": name,
        "bootID": name,
    }
