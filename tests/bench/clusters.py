"""A thousand GPU nodes as the API server returns them, and specs that nobody asked before."""

import random
from collections.abc import Iterator
from typing import Any

from e2e.cluster.nodes import simulated_gpu_nodes
from gemma_operator.api.labels import API_VERSION, KIND

POOLS = (
    ("h100", "NVIDIA-H100-80GB-HBM3", 81559, "9.0", 8, 200),
    ("a100", "NVIDIA-A100-SXM4-80GB", 81920, "8.0", 8, 150),
    ("l40s", "NVIDIA-L40S", 46068, "8.9", 4, 250),
    ("l4", "NVIDIA-L4", 23034, "8.9", 1, 250),
    ("rtx-4090", "NVIDIA-GeForce-RTX-4090", 24564, "8.9", 2, 100),
    ("t4", "Tesla-T4", 15360, "7.5", 4, 50),
)
"""Prefix, product, memory label in MiB, compute capability, GPUs of a node, nodes."""

KUBELET_CONDITIONS = ("MemoryPressure", "DiskPressure", "PIDPressure")
IMAGES_ON_A_NODE = 30


def pool_nodes(prefix: str = "bench") -> Iterator[list[dict[str, Any]]]:
    """The nodes of each pool, as they are created."""
    for name, product, memory, capability, gpus, count in POOLS:
        yield list(simulated_gpu_nodes(f"{prefix}-{name}", product, memory, capability, gpus, count))


def raw_nodes() -> list[dict[str, Any]]:
    """All of them as a running cluster returns them: conditions, images and other fields that nobody asked for."""
    return [_running(node) for nodes in pool_nodes() for node in nodes]


def _running(node: dict[str, Any]) -> dict[str, Any]:
    conditions = [{"type": kind, "status": "False", "reason": "KubeletHas"} for kind in KUBELET_CONDITIONS]
    conditions.append({"type": "Ready", "status": "True", "reason": "KubeletReady"})
    images = [
        {"names": [f"registry.example.com/team/image-{index}@sha256:{index:064x}"], "sizeBytes": 10**9 + index}
        for index in range(IMAGES_ON_A_NODE)
    ]
    return node | {"status": node["status"] | {"conditions": conditions, "images": images}}


def manifest(name: str, spec: dict[str, Any], namespace: str = "default") -> dict[str, Any]:
    """A GemmaDeployment."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def unlike_specs(count: int, seed: int) -> list[dict[str, Any]]:
    """Specs of which no two are equal: lengths, variants, inputs, precisions, objectives, GPUs. Some are impossible."""
    choose = random.Random(seed)
    lengths = choose.sample(range(1024, 131_073), count)
    return [_spec(choose, length) for length in lengths]


def _spec(choose: random.Random, length: int) -> dict[str, Any]:
    model: dict[str, Any] = {"variant": choose.choice(["Auto"] * 5 + ["E4B", "12B", "26B-A4B", "31B"])}
    model["modalities"] = choose.choice([["Text"]] * 4 + [["Text", "Image"]])
    model["quantization"] = choose.choice(["Auto"] * 5 + ["BF16", "FP8", "W4A16"])
    spec: dict[str, Any] = {
        "contextLength": length,
        "concurrentRequests": choose.choice([1, 1, 2, 4, 16]),
        "model": model,
        "objective": choose.choice(["Balanced", "Balanced", "Quality"]),
    }
    products = choose.choice([None] * 4 + [["L40S"], ["NVIDIA-H100-80GB-HBM3"], ["L4", "L40S"]])
    if products is not None:
        spec["accelerators"] = {"products": products}
    return spec
