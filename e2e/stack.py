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
from images.build import import_engine, import_operator
from images.tiny.models import tiny_models

SYSTEM_NAMESPACE = "gemma-system"
USER_NAMESPACE = "models"
CLAIM = "tiny-models"
RELEASE = "gemma-operator"
CPU_PRODUCT = "Simulated-CPU"
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
            cluster.offer_gpus(gpus, gpu_labels(CPU_PRODUCT, 4096, "9.0", gpus))
            cluster.apply(_namespaces())
            cluster.apply(_volume(str(models)))
            cluster.apply(_catalog((models / "catalog.yaml").read_text(), (models / "products.yaml").read_text()))
        with step("installing the chart"):
            _install(cluster, digest, engine)
        return Stack(cluster, engine)

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


def _catalog(models: str, products: str) -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"tiny-{kind}",
                "namespace": SYSTEM_NAMESPACE,
                "labels": {"gemma-operator.io/catalog": kind},
            },
            "data": {f"{kind}.yaml": text},
        }
        for kind, text in (("models", models), ("products", products))
    ]


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
