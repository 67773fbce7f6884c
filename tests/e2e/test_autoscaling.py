"""Load comes and goes on real vLLM: a replica more, a drain, a replica less, and every request accounted for.

One story, in this order: two tiny engines on the one real node.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from e2e.load import Load, all_at_once
from e2e.stack import Stack
from e2e.waiting import wait_for

pytestmark = pytest.mark.e2e
NAME = "elastic"
POD = f"gemma-operator.io/deployment={NAME}"
SERVING = "gemma-operator.io/serving"
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
    spec: dict[str, Any] = {"contextLength": "1K", "autoscaling": AUTOSCALING, "rollout": {"drainTimeoutSeconds": 180}}
    stack.cluster.apply([stack.manifest(NAME, "tiny-chat", **spec)])
    stack.wait_ready(NAME, 400)
    yield stack.address(NAME)
    stack.kubectl("delete", "gemmadeployment", NAME, "--timeout=30s")


def scaling(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.get("gemmadeployment", NAME)["status"].get("autoscaling") or {}
    return found


def replicas(stack: Stack) -> int:
    return int(stack.get("deployment", NAME)["spec"]["replicas"])


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


def test_load_comes_and_goes_and_no_request_is_lost(stack: Stack, elastic: str) -> None:
    since = stack.conditions(NAME)["Ready"]["lastTransitionTime"]
    with Load(elastic, NAME, clients=8, prompt_tokens=700, answer_tokens=60) as surge:
        wait_for("a second replica to be asked for", lambda: replicas(stack) == 2, 60, 1, lambda: told(stack))
    # Two cores: a busy engine would leave none to the one that starts.
    with Load(elastic, NAME, clients=1, answer_tokens=40, pause_seconds=1.0) as calm:
        wait_for("it to serve", lambda: scaling(stack).get("ready") == 2, 150, 1, lambda: told(stack))
    uids = {item["metadata"]["name"] for item in stack.get("pods", "-l", POD)["items"]}
    with Load(elastic, NAME, clients=1, answer_tokens=40, pause_seconds=0.2) as trickle:
        wait_for("a pod to leave the Service", lambda: _leaving(stack), 150, 0.5, lambda: told(stack))
        (leaving,) = _leaving(stack)
        wait_for("the Deployment to be smaller", lambda: replicas(stack) == 1, 240, 0.5, lambda: told(stack))
        wait_for("that pod to go", lambda: leaving not in _names(stack), 240, 1, lambda: told(stack))
    assert _names(stack) == uids - {leaving}
    assert (surge.account.losses, calm.account.losses, trickle.account.losses) == ([], [], [])
    assert surge.account.answered >= 8
    assert trickle.account.answered > 5
    ready = stack.conditions(NAME)["Ready"]
    assert (ready["status"], ready["lastTransitionTime"]) == ("True", since)
    notes = [
        item["note"] for item in stack.get("events.events.k8s.io")["items"] if item["reason"] == "SuccessfulRescale"
    ]
    assert any("New size: 2" in note for note in notes)
    assert any("New size: 1" in note for note in notes)


def _names(stack: Stack) -> set[str]:
    return {item["metadata"]["name"] for item in stack.get("pods", "-l", POD)["items"]}


def _leaving(stack: Stack) -> list[str]:
    items = stack.get("pods", "-l", POD)["items"]
    return [item["metadata"]["name"] for item in items if SERVING not in item["metadata"]["labels"]]


def test_with_the_queue_limit_a_surge_is_told_503_at_once(stack: Stack, elastic: str) -> None:
    """The roll-out that brings the limit cuts nothing either."""
    with Load(elastic, NAME, clients=1, answer_tokens=40, pause_seconds=0.3) as trickle:
        stack.kubectl("patch", "gd", NAME, "--type=merge", "-p", '{"spec":{"autoscaling":{"queueLimit":"Enabled"}}}')
        stack.wait_ready(NAME, 300)
        wait_for("the old pod to go", lambda: len(_names(stack)) == 1, 120, 1, lambda: told(stack))
    assert trickle.account.losses == []
    statuses = all_at_once(elastic, NAME, requests=24)
    assert set(statuses) == {200, 503}
    assert sum(statuses.values()) == 24
