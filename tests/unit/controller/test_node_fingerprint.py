"""Which changes of a node a plan may depend on."""

from typing import Any

import pytest

from gemma_operator.controller.pump import node_fingerprint


def node(**changes: Any) -> dict[str, Any]:
    ready = {"type": "Ready", "status": changes.pop("ready", "True"), "lastHeartbeatTime": changes.pop("beat", "1")}
    return {
        "metadata": {
            "name": "n1",
            "labels": changes.pop("labels", {"a": "b"}),
            "resourceVersion": changes.pop("version", "1"),
        },
        "spec": changes.pop("spec", {}),
        "status": {"allocatable": {"nvidia.com/gpu": changes.pop("gpus", "8")}, "conditions": [ready]},
    }


@pytest.mark.parametrize("change", [{"beat": "2"}, {"version": "2"}, {"spec": {"podCIDR": "10.0.0.0/24"}}])
def test_a_heartbeat_changes_nothing(change: dict[str, Any]) -> None:
    assert node_fingerprint(node(**change)) == node_fingerprint(node())


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"a": "c"}},
        {"gpus": "7"},
        {"ready": "Unknown"},
        {"spec": {"unschedulable": True}},
        {"spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]}},
    ],
)
def test_what_a_plan_depends_on_changes_the_fingerprint(change: dict[str, Any]) -> None:
    assert node_fingerprint(node(**change)) != node_fingerprint(node())


def test_a_bare_node_has_one_too() -> None:
    assert node_fingerprint({"metadata": {"name": "n1"}})
