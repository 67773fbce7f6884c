"""From the nodes of a cluster to an inventory: what counts, what does not, and why not."""

from typing import Any

import pytest

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.gpus.feature_discovery import read_nodes, tolerates

PRODUCTS = builtin_catalog().products
TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}


def node(name: str, gpus: int = 8, *, product: str | None = "NVIDIA-L40S", **changes: Any) -> dict[str, Any]:
    labels = {
        "nvidia.com/gpu.memory": "46068",
        "nvidia.com/gpu.compute.major": "8",
        "nvidia.com/gpu.compute.minor": "9",
        "pool": "inference",
    }
    if product is not None:
        labels["nvidia.com/gpu.product"] = product
    allocatable = {"cpu": "63500m", "memory": "500Gi", "ephemeral-storage": "1Ti", "nvidia.com/gpu": str(gpus)}
    return {
        "metadata": {"name": name, "labels": labels | changes.pop("labels", {})},
        "spec": changes.pop("spec", {}),
        "status": {
            "allocatable": allocatable | changes.pop("allocatable", {}),
            "conditions": [{"type": "Ready", "status": changes.pop("ready", "True")}],
        },
    }


def only_reason(candidate: dict[str, Any], **options: Any) -> str:
    inventory = read_nodes([candidate], PRODUCTS, **options)
    assert inventory.groups == ()
    (unusable,) = inventory.unusable
    assert unusable.nodes == (candidate["metadata"]["name"],)
    return unusable.reason


def test_equal_nodes_are_one_group_with_the_smallest_host() -> None:
    nodes = [node("b", allocatable={"memory": "400Gi"}), node("a"), node("c", 4)]
    four, eight = read_nodes(nodes, PRODUCTS).groups
    assert (four.gpus_per_node, four.nodes) == (4, 1)
    assert (eight.gpus_per_node, eight.nodes, eight.capacity_gpus) == (8, 2, 16)
    assert eight.memory_bytes == 400 * 2**30
    assert eight.cpu_cores == 63.5
    assert eight.ephemeral_storage_bytes == 2**40
    assert eight.accelerator.id == "L40S"


def test_replicas_stay_within_one_node() -> None:
    (group,) = read_nodes([node("a", 6), node("b", 6)], PRODUCTS).groups
    assert [group.replicas(size) for size in (1, 2, 4, 8)] == [12, 6, 2, 0]


def test_free_gpus_are_counted_per_node_and_unknown_without_a_count() -> None:
    nodes = [node("a"), node("b")]
    assert read_nodes(nodes, PRODUCTS, used_gpus={"a": 3, "b": 9, "gone": 8}).groups[0].free_gpus == (5, 0)
    assert read_nodes(nodes, PRODUCTS).groups[0].free_gpus is None


def test_nodes_without_gpus_and_of_other_pools_are_no_part_of_the_answer() -> None:
    nodes = [node("cpu", 0, product=None), node("other", labels={"pool": "training"}), node("a")]
    inventory = read_nodes(nodes, PRODUCTS, node_selector={"pool": "inference"})
    assert [group.nodes for group in inventory.groups] == [1]
    assert inventory.unusable == ()


def test_a_product_with_two_memory_states_makes_two_groups() -> None:
    nodes = [node(f"a{mib}", product="NVIDIA-A10", labels={"nvidia.com/gpu.memory": mib}) for mib in ("23028", "24564")]
    totals = [group.accelerator.total_bytes for group in read_nodes(nodes, PRODUCTS).groups]
    assert len(set(totals)) == 2


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (node("a", spec={"unschedulable": True}), "the node is cordoned"),
        (node("a", ready="Unknown"), "the node is not ready"),
        (node("a", 0), "no nvidia.com/gpu is allocatable"),
        (node("a", spec={"taints": [TAINT]}), "the taint nvidia.com/gpu=present is not tolerated"),
        (node("a", product=None), "the label nvidia.com/gpu.product is missing; install GPU feature discovery"),
        (node("a", product="NVIDIA-A100-SXM4-80GB-MIG-3g.40gb"), "MIG slice"),
        (node("a", product="NVIDIA-L40S-SHARED"), "time-shared"),
        (
            node("a", labels={"nvidia.com/gpu.sharing-strategy": "mps", "nvidia.com/gpu.replicas": "4"}),
            "NVIDIA-L40S is shared by mps",
        ),
        (node("a", product="NVIDIA-X1", labels={"nvidia.com/gpu.memory": "many"}), "no memory label"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_gpu_node_that_no_engine_can_use_is_kept_with_the_reason(candidate: dict[str, Any], reason: str) -> None:
    assert reason in only_reason(candidate)


def test_a_sharing_strategy_without_replicas_shares_nothing() -> None:
    labels = {"nvidia.com/gpu.sharing-strategy": "time-slicing", "nvidia.com/gpu.replicas": "1"}
    assert read_nodes([node("a", labels=labels)], PRODUCTS).groups[0].nodes == 1


def test_a_nonsense_replicas_label_makes_the_node_unusable_and_not_the_cluster() -> None:
    labels = {"nvidia.com/gpu.sharing-strategy": "mps", "nvidia.com/gpu.replicas": "many"}
    assert "shared by mps" in only_reason(node("a", labels=labels))


def test_a_tolerated_or_preferring_taint_does_not_block() -> None:
    tainted = node("a", spec={"taints": [TAINT, TAINT | {"key": "spot", "effect": "PreferNoSchedule"}]})
    toleration = {"key": "nvidia.com/gpu", "operator": "Exists"}
    assert read_nodes([tainted], PRODUCTS, tolerations=[toleration]).groups[0].nodes == 1


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "nvidia.com/gpu", "value": "present"}, True),
        ({"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}, True),
        ({"key": "nvidia.com/gpu"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "nvidia.com/gpu", "operator": "Equal", "value": "absent"}, False),
    ],
)
def test_tolerations_match_as_kubernetes_matches(toleration: dict[str, str], expected: bool) -> None:
    assert tolerates(toleration, TAINT) is expected
