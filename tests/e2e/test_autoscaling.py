"""The autoscaler on real vLLM: what it reads off a running engine."""

from collections.abc import Iterator
from typing import Any

import pytest

from e2e.stack import Stack
from e2e.waiting import wait_for

pytestmark = pytest.mark.e2e
NAME = "elastic"
AUTOSCALING = {
    "maxReplicas": 2,
    # Two cores for two engines and all else: what a replica carries is set here, not learned from a slow machine.
    "targets": {"queueDepthPerReplica": 1, "tokensPerSecondPerReplica": 100000, "timeToFirstToken": "60s",
                "interTokenLatency": "5s"},
    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 15}},
    "queueLimit": "Disabled",
}  # fmt: skip


@pytest.fixture(scope="module")
def elastic(stack: Stack) -> Iterator[str]:
    """Its URL. The pool holds one request of full length, so that of many some must wait."""
    spec: dict[str, Any] = {"contextLength": "1K", "autoscaling": AUTOSCALING, "rollout": {"drainTimeoutSeconds": 60}}
    stack.cluster.apply([stack.manifest(NAME, "tiny-chat", **spec)])
    stack.wait_ready(NAME, 400)
    yield stack.address(NAME)
    stack.kubectl("delete", "gemmadeployment", NAME, "--timeout=30s")


def scaling(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.get("gemmadeployment", NAME)["status"].get("autoscaling") or {}
    return found


def told(stack: Stack) -> str:
    return stack.kubectl("get", "gd,pods,events", "-o", "wide") + str(scaling(stack))


def test_the_autoscaler_reads_a_real_engine(stack: Stack, elastic: str) -> None:
    wait_for(
        "the autoscaler to be active",
        lambda: stack.conditions(NAME)["ScalingActive"]["status"] == "True",
        60,
        1,
        describe=lambda: told(stack),
    )
    found = scaling(stack)
    assert (found["mode"], found["desired"], found["ready"], found["queueDepth"]) == ("Internal", 1, 1, 0)
    assert 1 <= found["coldStartSeconds"] <= 240
