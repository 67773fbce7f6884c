"""The control plane and its simulated nodes, as every other integration test takes them for granted."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.cluster import Cluster
from e2e.cluster.nodes import simulated_gpu_nodes
from e2e.waiting import wait_for

pytestmark = pytest.mark.integration


@pytest.fixture
def l40s_node(cluster: Cluster) -> Iterator[str]:
    """A simulated node with two L40S, labelled with its own name so that only the test's pods go there."""
    (node,) = simulated_gpu_nodes(f"l40s-{uuid.uuid4().hex[:8]}", "NVIDIA-L40S", 46068, "8.9", gpus=2, nodes=1)
    name = str(node["metadata"]["name"])
    cluster.add_nodes([node])
    yield name
    cluster.remove_nodes(f"kubernetes.io/hostname={name}")


def gpu_pod(name: str, node: str, gpus: int) -> dict[str, Any]:
    container = {"name": "engine", "image": "gemma-operator.local/never-pulled:1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "containers": [container | {"resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}],
            "nodeSelector": {"kubernetes.io/hostname": node},
        },
    }


def create(cluster: Cluster, namespace: str, pod: dict[str, Any]) -> None:
    wait_for_account(cluster, namespace)
    cluster.kubectl("--namespace", namespace, "create", "-f", "-", stdin=json.dumps(pod))


def wait_for_account(cluster: Cluster, namespace: str) -> None:
    """Pods are refused until the controller manager has made the namespace's account."""
    wait_for("the account", lambda: cluster.kubectl("-n", namespace, "get", "serviceaccount", "default"), 20)


def pod_conditions(cluster: Cluster, namespace: str, name: str) -> dict[str, dict[str, Any]]:
    status = cluster.get("--namespace", namespace, "pod", name)["status"]
    return {item["type"]: item for item in status.get("conditions", ())}


def test_the_api_server_is_kubernetes_1_37(cluster: Cluster) -> None:
    version = json.loads(cluster.kubectl("version", "-o", "json"))["serverVersion"]
    assert (version["major"], version["minor"]) == ("1", "37")


def test_a_simulated_node_shows_its_gpus_and_the_labels_of_feature_discovery(cluster: Cluster, l40s_node: str) -> None:
    node = cluster.get("node", l40s_node)
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "2"
    labels = node["metadata"]["labels"]
    assert labels["nvidia.com/gpu.product"] == "NVIDIA-L40S"
    assert labels["nvidia.com/gpu.memory"] == "46068"
    assert labels["nvidia.com/gpu.family"] == "ada-lovelace"
    assert (labels["nvidia.com/gpu.compute.major"], labels["nvidia.com/gpu.compute.minor"]) == ("8", "9")


def test_a_pod_on_a_simulated_node_is_ready_at_a_loopback_address(
    cluster: Cluster, namespace: str, l40s_node: str
) -> None:
    create(cluster, namespace, gpu_pod("engine", l40s_node, gpus=2))
    cluster.kubectl("--namespace", namespace, "wait", "pod/engine", "--for=condition=Ready", "--timeout=20s")
    assert cluster.get("--namespace", namespace, "pod", "engine")["status"]["podIP"].startswith("127.")


def test_a_pod_that_asks_for_more_gpus_than_a_node_has_is_unschedulable(
    cluster: Cluster, namespace: str, l40s_node: str
) -> None:
    create(cluster, namespace, gpu_pod("engine", l40s_node, gpus=3))

    def refusal() -> str:
        return str(pod_conditions(cluster, namespace, "engine").get("PodScheduled", {}).get("message", ""))

    assert "Insufficient nvidia.com/gpu" in wait_for("the scheduler's refusal", refusal, 20)


def test_a_simulated_node_can_lose_a_gpu(cluster: Cluster, l40s_node: str) -> None:
    prefix = l40s_node.removesuffix("-0")
    cluster.add_nodes(simulated_gpu_nodes(prefix, "NVIDIA-L40S", 46068, "8.9", gpus=1, nodes=1))
    assert cluster.get("node", l40s_node)["status"]["allocatable"]["nvidia.com/gpu"] == "1"


def test_a_deleted_pod_of_a_simulated_node_waits_for_its_finalizer(
    cluster: Cluster, namespace: str, l40s_node: str
) -> None:
    pod = gpu_pod("engine", l40s_node, gpus=1)
    pod["metadata"]["finalizers"] = ["gemma-operator.io/test"]
    create(cluster, namespace, pod)
    cluster.kubectl("--namespace", namespace, "wait", "pod/engine", "--for=condition=Ready", "--timeout=20s")
    cluster.kubectl("--namespace", namespace, "delete", "pod", "engine", "--wait=false")
    patch = json.dumps({"metadata": {"finalizers": None}})
    cluster.kubectl("--namespace", namespace, "patch", "pod", "engine", "--type=merge", "-p", patch)
    cluster.kubectl("--namespace", namespace, "wait", "pod/engine", "--for=delete", "--timeout=20s")


def test_requests_stand_in_the_audit_log_with_their_user(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl("--namespace", namespace, "get", "configmaps")

    def logged() -> list[dict[str, Any]]:
        lines = cluster.audit_log.read_text().splitlines()
        events = [json.loads(line) for line in lines if namespace in line and line.endswith("}")]
        return [event for event in events if event["objectRef"].get("resource") == "configmaps"]

    assert wait_for("the audit log", logged, 10)[-1]["user"]["username"] == "admin"


def test_a_service_account_has_no_rights_of_its_own(cluster: Cluster, namespace: str) -> None:
    wait_for_account(cluster, namespace)
    token = cluster.kubectl("--namespace", namespace, "create", "token", "default").strip()
    asked = ("auth", "whoami", "-o", "json", f"--token={token}", "--kubeconfig=/dev/null", f"--server={cluster.server}")
    who = json.loads(cluster.kubectl(*asked, f"--certificate-authority={cluster.certificate_authority}"))
    account = f"system:serviceaccount:{namespace}:default"
    assert who["status"]["userInfo"]["username"] == account
    allowed = cluster.kubectl("auth", "can-i", "--list", "--as", account, "-n", namespace)
    assert "pods" not in allowed
