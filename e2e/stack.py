"""The whole product on the local cluster: images, the real chart, a card that is a CPU, weights on a volume.

The demo and the scenarios start from here. What is there already is kept, so that a second call takes seconds.
"""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from e2e.cluster import Cluster
from e2e.cluster.nodes import gpu_labels
from e2e.cluster.paths import ROOT
from e2e.progress import step
from e2e.waiting import wait_for
from images.build import import_engine, import_operator
from images.tiny.models import tiny_models

SYSTEM_NAMESPACE = "gemma-system"
USER_NAMESPACE = "models"
CLAIM = "tiny-models"
RELEASE = "gemma-operator"
CPU_PRODUCT = "Simulated-CPU"
CARD_MIB = 64
"""So little that a few long requests need two cards: the planner then takes tensor parallel 2."""

PRODUCT = f"""products:
  - id: {CPU_PRODUCT}
    labels: [{CPU_PRODUCT}]
    computeCapability: "9.0"
    memoryStates: [{{labelMemoryMib: {CARD_MIB}, cudaTotalGib: {CARD_MIB / 1024}, status: exact}}]
    engineProfile: CPU
"""
RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": "latest",
}


@dataclass(frozen=True)
class Stack:
    """The cluster with the operator installed."""

    cluster: Cluster
    engine_image: str
    namespace: str = USER_NAMESPACE

    @staticmethod
    def ensure(gpus: int = 2) -> "Stack":
        """Bring everything up. ``gpus`` is what the real node offers."""
        cluster = Cluster.ensure("full")
        digest, engine = import_operator(), import_engine()
        models = tiny_models()
        with step("namespaces, weights and catalog"):
            cluster.offer_gpus(gpus, gpu_labels(CPU_PRODUCT, CARD_MIB, "9.0", gpus))
            cluster.apply(_namespaces())
            cluster.apply(_volume(str(models)))
            cluster.apply([_catalog("models", (models / "catalog.yaml").read_text()), _catalog("products", PRODUCT)])
        with step("installing the chart"):
            _install(cluster, digest, engine)
        return Stack(cluster, engine)

    def kubectl(self, *arguments: str) -> str:
        """kubectl in the users' namespace."""
        return self.cluster.kubectl("--namespace", self.namespace, *arguments)

    def get(self, *arguments: str) -> Any:
        """``kubectl get`` there, parsed."""
        return self.cluster.get("--namespace", self.namespace, *arguments)

    def address(self, name: str) -> str:
        """URL of a service by its cluster address, which this machine reaches."""
        return f"http://{self.get('service', name)['spec']['clusterIP']}"

    def conditions(self, name: str) -> dict[str, dict[str, Any]]:
        """Conditions of a GemmaDeployment by type."""
        status = self.get("gemmadeployment", name).get("status") or {}
        return {item["type"]: item for item in status.get("conditions") or ()}

    def wait_ready(self, name: str, seconds: float = 240) -> None:
        """Wait until the present generation is Ready, with what is known in the error."""

        def ready() -> bool:
            live = self.get("gemmadeployment", name)
            found = self.conditions(name)["Ready"]
            return bool(found["status"] == "True" and found["observedGeneration"] == live["metadata"]["generation"])

        wait_for(
            f"{name} to be Ready", ready, seconds, 1, describe=lambda: self.kubectl("get", "gd,pods", "-o", "wide")
        )

    def manifest(self, name: str, checkpoint: str, **spec: Any) -> dict[str, Any]:
        """A GemmaDeployment of a tiny checkpoint on the real node."""
        variants = {"tiny-chat": "tiny-31B-like", "tiny-e2b": "tiny-E2B-like", "tiny-moe": "tiny-26B-like"}
        source = {"volumeClaim": {"name": CLAIM, "path": checkpoint}}
        model = {"variant": variants[checkpoint], "checkpoint": f"gemma-operator/{checkpoint}", "source": source}
        return {
            "apiVersion": "gemma-operator.io/v1alpha1",
            "kind": "GemmaDeployment",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"model": model, "accelerators": {"products": [CPU_PRODUCT]}} | spec,
        }


def _namespaces() -> list[dict[str, Any]]:
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
        for name in (SYSTEM_NAMESPACE, USER_NAMESPACE)
    ]


def _volume(path: str) -> list[dict[str, Any]]:
    """The tiny checkpoints as a volume that is there before anybody asks."""
    size, modes = {"storage": "1Gi"}, ["ReadOnlyMany"]
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": CLAIM},
        "spec": {
            "capacity": size,
            "accessModes": modes,
            "storageClassName": "by-hand",
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": path, "type": "Directory"},
            "claimRef": {"namespace": USER_NAMESPACE, "name": CLAIM},
        },
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM, "namespace": USER_NAMESPACE},
        "spec": {
            "accessModes": modes,
            "storageClassName": "by-hand",
            "volumeName": CLAIM,
            "resources": {"requests": size},
        },
    }
    return [volume, claim]


def _catalog(kind: str, text: str) -> dict[str, Any]:
    """A ConfigMap that extends the operator's catalog."""
    return catalog_config_map(f"tiny-{kind}", kind, text)


def catalog_config_map(name: str, kind: str, text: str) -> dict[str, Any]:
    """The same under any name."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": SYSTEM_NAMESPACE, "labels": {"gemma-operator.io/catalog": kind}},
        "data": {f"{kind}.yaml": text},
    }


def _install(cluster: Cluster, digest: str, engine: str) -> None:
    values = {
        "engineImage": engine,
        "image": {"pullPolicy": "Never"},
        "podAnnotations": {"gemma-operator.io/image": digest},
        # A simulated node would only pretend to run it.
        "nodeSelector": {"kubernetes.io/hostname": cluster.node_name},
    }
    command = [
        str(cluster.bin_dir / "helm"),
        "upgrade",
        "--install",
        "--take-ownership",
        RELEASE,
        str(ROOT / "charts" / "gemma-operator"),
        "--namespace",
        SYSTEM_NAMESPACE,
        "--values",
        "-",
        "--wait",
        "--timeout",
        "120s",
    ]
    result = subprocess.run(
        command, env=cluster.environment, input=json.dumps(values), capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        logs = cluster.kubectl("-n", SYSTEM_NAMESPACE, "get", "pods,events")
        raise RuntimeError(f"helm failed: {result.stderr}\n{logs}")
