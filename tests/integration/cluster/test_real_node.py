"""The real node: containers that run, GPUs that are counted, and a network that ends at this machine."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.cluster import Cluster
from e2e.cluster.images import container_process
from e2e.cluster.nodes import gpu_labels
from e2e.cluster.real_node import KUBELET, PAUSE_IMAGE
from e2e.waiting import wait_for

pytestmark = pytest.mark.e2e

GPUS = 2
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)"


@pytest.fixture(scope="module")
def full() -> Cluster:
    """The cluster with its real node, which offers two GPUs."""
    full = Cluster.ensure("full")
    full.offer_gpus(GPUS, gpu_labels("Simulated-CPU", 4096, "9.0", GPUS))
    return full


@pytest.fixture
def pod(full: Cluster, namespace: str) -> Iterator[dict[str, Any]]:
    """A running pod with a GPU, under the restricted Pod Security standard."""
    full.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    wait_for("the account", lambda: full.kubectl("-n", namespace, "get", "serviceaccount", "default"), 20)
    full.kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(restricted_pod(full.node_name)))
    full.kubectl("-n", namespace, "wait", "pod/engine", "--for=condition=Ready", "--timeout=60s")
    yield full.get("-n", namespace, "pod", "engine")
    full.kubectl("-n", namespace, "delete", "pod", "engine", "--grace-period=1")


def restricted_pod(node: str) -> dict[str, Any]:
    container = {
        "name": "engine",
        "image": PAUSE_IMAGE,
        "imagePullPolicy": "Never",
        "resources": {"limits": {"nvidia.com/gpu": "1", "cpu": "100m", "memory": "32Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "engine"},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": node},
            "containers": [container],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    }


def connect_from(pod: dict[str, Any], host: str, port: int) -> subprocess.CompletedProcess[str]:
    """Open a connection in the pod's network, where the pause image has no program to do so."""
    process = container_process(pod["status"]["containerStatuses"][0]["containerID"])
    command = ["nsenter", "--net", f"--target={process}", sys.executable, "-c", CONNECT, host, str(port)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_restricted_pod_with_a_gpu_runs_in_a_container(full: Cluster, pod: dict[str, Any]) -> None:
    assert pod["spec"]["nodeName"] == full.node_name
    assert container_process(pod["status"]["containerStatuses"][0]["containerID"]) > 1


def test_the_api_server_reads_a_pods_log_from_the_kubelet(full: Cluster, pod: dict[str, Any]) -> None:
    assert full.kubectl("-n", pod["metadata"]["namespace"], "logs", "engine") == ""


def test_a_pod_reaches_the_api_server_at_the_service_address(pod: dict[str, Any]) -> None:
    answer = connect_from(pod, "10.96.0.1", 443)
    assert answer.returncode == 0, answer.stderr


def test_what_a_pod_sends_outside_is_refused_and_counted(full: Cluster, pod: dict[str, Any]) -> None:
    before = full.egress_attempts()
    answer = connect_from(pod, "203.0.113.1", 80)
    assert answer.returncode != 0
    assert "unreachable" in answer.stderr
    assert full.egress_attempts().outside > before.outside


def test_a_pod_that_asks_for_a_name_is_refused_at_once_and_counted(full: Cluster, pod: dict[str, Any]) -> None:
    before = full.egress_attempts()
    assert "refused" in connect_from(pod, full.node_address, 53).stderr
    assert full.egress_attempts().names > before.names


def test_a_pod_that_stays_inside_counts_as_no_attempt(full: Cluster, pod: dict[str, Any]) -> None:
    before = full.egress_attempts()
    connect_from(pod, full.node_address, 6443)
    assert full.egress_attempts() == before


def test_gpus_come_back_after_the_kubelet_was_killed(full: Cluster) -> None:
    KUBELET.stop()
    full = Cluster.ensure("full")

    def ready_with_gpus() -> bool:
        allocatable = full.get("node", full.node_name)["status"]["allocatable"]
        return full.node_name in full.ready_nodes() and allocatable["nvidia.com/gpu"] == str(GPUS)

    wait_for("the node and its GPUs", ready_with_gpus, 60)
