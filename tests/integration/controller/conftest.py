"""A namespace, simulated nodes and an operator process for each test, all on the real API server."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster import Cluster
from e2e.cluster.nodes import simulated_gpu_nodes
from e2e.operator_process import OperatorProcess
from e2e.waiting import wait_for

ROOM = "gemma-test"
"""Node label by which a test's nodes are its own."""

CARDS = {
    "L40S": ("NVIDIA-L40S", 46068, "8.9"),
    "RTX-4090": ("NVIDIA-GeForce-RTX-4090", 24564, "8.9"),
    "RTX-3090": ("NVIDIA-GeForce-RTX-3090", 24576, "8.6"),
    "A100-80GB-SXM": ("NVIDIA-A100-SXM4-80GB", 81920, "8.0"),
    "H100-SXM": ("NVIDIA-H100-80GB-HBM3", 81559, "9.0"),
    "H200-SXM": ("NVIDIA-H200", 143771, "9.0"),
    "L4": ("NVIDIA-L4", 23034, "8.9"),
    "T4": ("Tesla-T4", 15360, "7.5"),
    "RTX-A6000": ("NVIDIA-RTX-A6000", 49140, "8.6"),
    "RTX-A6000-ECC": ("NVIDIA-RTX-A6000", 46068, "8.6"),
}


@dataclass
class Room:
    """A namespace with nodes of its own."""

    cluster: Cluster
    name: str
    log: Path

    def nodes(self, card: str, gpus: int, nodes: int = 1, room: str | None = None) -> None:
        """Add simulated nodes that only this room's deployments select."""
        product, memory, capability = CARDS[card]
        prefix = f"{room or self.name}-{card.lower()}-{gpus}"
        made = list(simulated_gpu_nodes(prefix, product, memory, capability, gpus, nodes))
        for node in made:
            node["metadata"]["labels"][ROOM] = room or self.name
        self.cluster.add_nodes(made)

    def manifest(self, name: str, room: str | None = None, **spec: Any) -> dict[str, Any]:
        """A GemmaDeployment that plans on this room's nodes."""
        accelerators = {"nodeSelector": {ROOM: room or self.name}} | spec.pop("accelerators", {})
        return {
            "apiVersion": "gemma-operator.io/v1alpha1",
            "kind": "GemmaDeployment",
            "metadata": {"name": name, "namespace": self.name},
            "spec": spec | {"accelerators": accelerators},
        }

    def ask(self, name: str, **spec: Any) -> None:
        """Create or change a GemmaDeployment as a user would."""
        self.cluster.apply([self.manifest(name, **spec)])

    def get(self, *what: str) -> Any:
        """``kubectl get`` in this namespace."""
        return self.cluster.get("--namespace", self.name, *what)

    def kubectl(self, *arguments: str) -> str:
        """kubectl in this namespace."""
        return self.cluster.kubectl("--namespace", self.name, *arguments)

    def conditions(self, name: str) -> dict[str, dict[str, Any]]:
        """Conditions of a GemmaDeployment by type."""
        status = self.get("gemmadeployment", name).get("status") or {}
        return {item["type"]: item for item in status.get("conditions") or ()}

    def wait(self, what: str, probe: Callable[[], Any], seconds: float = 120) -> Any:
        """Wait with the operator's log in the error."""
        return wait_for(what, probe, seconds, describe=lambda: "\n" + self.log.read_text()[-2500:])

    def wait_ready(self, name: str, seconds: float = 120) -> None:
        """Wait until this generation is Ready."""

        def ready() -> bool:
            live = self.get("gemmadeployment", name)
            found = {item["type"]: item for item in live["status"]["conditions"]}["Ready"]
            return bool(found["status"] == "True" and found["observedGeneration"] == live["metadata"]["generation"])

        self.wait(f"{name} to be Ready", ready, seconds)


@pytest.fixture
def room(crd_installed: Cluster, tmp_path: Path) -> Iterator[Room]:
    name = f"room-{uuid.uuid4().hex[:8]}"
    crd_installed.kubectl("create", "namespace", name)
    yield Room(crd_installed, name, tmp_path / "operator.log")
    crd_installed.kubectl("delete", "namespace", name, "--wait=false")
    crd_installed.kubectl("delete", "nodes", "-l", f"{ROOM}={name}", "--wait=false")


@pytest.fixture
def operator(room: Room) -> Iterator[OperatorProcess]:
    with OperatorProcess(room.cluster, room.name, room.log) as process:
        yield process
