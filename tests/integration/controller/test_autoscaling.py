"""Who decides the number of replicas, on a real API server with the real HPA and ReplicaSet controllers.

Simulated pods have no engine to ask: the autoscaler is blind and holds still, but bounds, drains and refusals are real.
"""

import time
from typing import Any

import pytest

from e2e.cluster import KubectlError
from e2e.operator_process import OperatorProcess
from tests.integration.controller.conftest import Room

pytestmark = pytest.mark.integration
SERVING = "gemma-operator.io/serving"
DEADLINE = "gemma-operator.io/drain-deadline"
INTERNAL = {"minReplicas": 1, "maxReplicas": 4}


def begin(room: Room, autoscaling: dict[str, Any], **spec: Any) -> None:
    """A Ready deployment with that autoscaling, on eight cards."""
    room.nodes("L40S", 8)
    room.ask("assistant", contextLength="64K", autoscaling=autoscaling, **spec)
    room.wait_ready("assistant")


def status(room: Room) -> dict[str, Any]:
    found: dict[str, Any] = room.get("gemmadeployment", "assistant")["status"]
    return found


def replicas(room: Room) -> int:
    return int(room.get("deployment", "assistant")["spec"]["replicas"])


def pods(room: Room) -> list[dict[str, Any]]:
    items = room.get("pods", "-l", "gemma-operator.io/deployment=assistant")["items"]
    return [item for item in items if "deletionTimestamp" not in item["metadata"]]


def reason(room: Room, kind: str) -> str:
    return str(room.conditions("assistant").get(kind, {}).get("reason", ""))


def hpa(least: int) -> dict[str, Any]:
    """One that has no metrics here: its bounds alone act."""
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    target = {"apiVersion": "gemma-operator.io/v1alpha1", "kind": "GemmaDeployment", "name": "assistant"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "assistant"},
        "spec": {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": 5, "metrics": [cpu]},
    }


def test_a_real_hpa_scales_in_mode_external_and_ready_stays(room: Room, operator: OperatorProcess) -> None:
    begin(room, {"mode": "External"})
    since = room.conditions("assistant")["Ready"]["lastTransitionTime"]
    autoscaler = hpa(3)
    autoscaler["metadata"]["namespace"] = room.name
    room.cluster.apply([autoscaler])
    room.wait("three engines", lambda: status(room)["readyReplicas"] == 3)
    found = {item["type"]: item for item in room.get("hpa", "assistant")["status"]["conditions"]}
    assert found["AbleToScale"]["status"] == "True"
    assert {item["reason"] for item in found.values()} & {"InvalidSelector", "FailedGetScale"} == set()
    assert status(room)["autoscaling"] == {"mode": "External"}
    ready = room.conditions("assistant")["Ready"]
    assert (ready["status"], ready["lastTransitionTime"]) == ("True", since)


def test_kubectl_scales_in_mode_external_and_is_refused_in_mode_internal(room: Room, operator: OperatorProcess) -> None:
    begin(room, {"mode": "External"})
    room.kubectl("scale", "gd/assistant", "--replicas=2")
    room.wait("two engines", lambda: status(room)["readyReplicas"] == 2)
    room.kubectl(
        "patch", "gd", "assistant", "--type=merge", "-p", '{"spec":{"autoscaling":{"mode":null,"maxReplicas":4}}}'
    )
    with pytest.raises(KubectlError, match=r"autoscaling\.mode Internal the operator decides how many replicas run"):
        room.kubectl("scale", "gd/assistant", "--replicas=3")
    with pytest.raises(KubectlError, match=r"write autoscaling\.mode External to scale by hand"):
        room.kubectl("patch", "gd", "assistant", "--type=merge", "-p", '{"spec":{"replicas":3}}')
    room.kubectl(
        "patch", "gd", "assistant", "--type=merge", "-p", '{"spec":{"replicas":3,"autoscaling":{"mode":"External"}}}'
    )
    room.wait("three engines", lambda: status(room)["readyReplicas"] == 3)


def test_an_advisory_autoscaler_shows_what_it_wants_and_changes_nothing(room: Room, operator: OperatorProcess) -> None:
    begin(room, {"mode": "Advisory", "minReplicas": 3, "maxReplicas": 6}, replicas=2)
    room.wait("the advice", lambda: status(room).get("autoscaling", {}).get("desired") == 3)
    assert status(room)["autoscaling"]["mode"] == "Advisory"
    assert room.conditions("assistant")["ScalingActive"]["status"] == "False"
    assert replicas(room) == 2
    room.kubectl("scale", "gd/assistant", "--replicas=1")
    room.wait("one engine", lambda: status(room)["readyReplicas"] == 1)


def test_a_fleet_that_nobody_sees_holds_still_and_says_so(room: Room, operator: OperatorProcess) -> None:
    begin(room, INTERNAL, replicas=2)
    room.wait("the autoscaler to look", lambda: reason(room, "ScalingActive") == "ScrapeBlocked")
    room.wait("two engines to be counted", lambda: status(room)["autoscaling"]["ready"] == 2)
    found = status(room)["autoscaling"]
    assert (found["mode"], found["desired"], found["loading"], found["draining"]) == ("Internal", 2, 0, 0)
    room.wait("the cold start to be read off the pods", lambda: status(room)["autoscaling"]["coldStartSeconds"] < 60)
    settled = settled_version(room)
    quiet_until = time.monotonic() + 20  # the loop looks at least once in that time
    while time.monotonic() < quiet_until:
        assert room.get("gemmadeployment", "assistant")["metadata"]["resourceVersion"] == settled
        time.sleep(1)
    assert replicas(room) == 2


def test_a_first_number_whose_write_was_lost_is_written_by_the_next_reconcile(
    room: Room, operator: OperatorProcess
) -> None:
    """A Deployment is made without replicas, and what should write them next may meet a conflict, or never come."""
    begin(room, INTERNAL, replicas=3)
    operator.stop()
    made = room.get("deployment", "assistant")
    del made["spec"]["replicas"], made["status"]
    for server_set in ("uid", "resourceVersion", "generation", "creationTimestamp"):
        del made["metadata"][server_set]
    room.kubectl("delete", "deployment", "assistant", "--cascade=orphan")
    room.cluster.apply([made])
    assert replicas(room) == 1
    operator.start()
    room.wait("three replicas", lambda: replicas(room) == 3, 30)
    room.wait("three engines", lambda: status(room)["readyReplicas"] == 3)


def settled_version(room: Room) -> str:
    """The version of the object once it has not moved for five seconds."""

    def still() -> str:
        before = room.get("gemmadeployment", "assistant")["metadata"]["resourceVersion"]
        time.sleep(5)
        after = room.get("gemmadeployment", "assistant")["metadata"]["resourceVersion"]
        return str(after) if after == before else ""

    return str(room.wait("the status to settle", still))


def test_bounds_grow_the_fleet_at_once_and_shrink_it_by_a_drain(room: Room, operator: OperatorProcess) -> None:
    """A pod that tells nothing may have requests: it keeps its deadline, and then that very pod goes."""
    begin(room, INTERNAL | {"minReplicas": 3}, replicas=3, rollout={"drainTimeoutSeconds": 6})
    before = {item["metadata"]["uid"] for item in pods(room)}
    room.ask("assistant", contextLength="64K", autoscaling={"maxReplicas": 2}, replicas=3,
             rollout={"drainTimeoutSeconds": 6})  # fmt: skip

    def drained() -> list[dict[str, Any]]:
        return [item for item in pods(room) if SERVING not in item["metadata"]["labels"]]

    (leaving,) = room.wait("a pod to leave the Service", drained)
    assert DEADLINE in leaving["metadata"]["annotations"]
    assert leaving["metadata"]["annotations"]["controller.kubernetes.io/pod-deletion-cost"] == "-1000"
    assert replicas(room) == 3
    room.wait("the fleet to be smaller", lambda: replicas(room) == 2 and len(pods(room)) == 2, 60)
    left = {item["metadata"]["uid"] for item in pods(room)}
    assert left == before - {leaving["metadata"]["uid"]}
    assert all(item["metadata"]["labels"][SERVING] == "true" for item in pods(room))
    events = room.get("events.events.k8s.io")["items"]
    assert any(item["reason"] == "SuccessfulRescale" and "New size: 2" in item["note"] for item in events)


def test_a_surge_takes_a_draining_pod_back_and_so_does_another_mode(room: Room, operator: OperatorProcess) -> None:
    same_pods = {"queueLimit": "Disabled"}
    slow = {"drainTimeoutSeconds": 600}

    def ask(least: int, most: int) -> None:
        autoscaling = same_pods | {"minReplicas": least, "maxReplicas": most}
        room.ask("assistant", contextLength="64K", autoscaling=autoscaling, replicas=2, rollout=slow)

    def serving() -> int:
        return sum(item["metadata"]["labels"].get(SERVING) == "true" for item in pods(room))

    room.nodes("L40S", 8)
    ask(2, 2)
    room.wait_ready("assistant")
    names = {item["metadata"]["name"] for item in pods(room)}
    ask(1, 1)
    room.wait("a pod to drain", lambda: serving() == 1)
    ask(2, 2)
    room.wait("the pod to serve again", lambda: serving() == 2)
    ask(1, 1)
    room.wait("a pod to drain", lambda: serving() == 1)
    room.kubectl("patch", "gd", "assistant", "--type=json", "-p", '[{"op":"remove","path":"/spec/autoscaling"}]')
    room.wait("the pod to serve without an autoscaler", lambda: serving() == 2)
    room.wait("its conditions to go", lambda: "ScalingActive" not in room.conditions("assistant"))
    assert "autoscaling" not in status(room)
    assert {item["metadata"]["name"] for item in pods(room)} == names


def test_somebody_who_scales_the_deployment_is_named_and_not_fought(room: Room, operator: OperatorProcess) -> None:
    begin(room, INTERNAL, replicas=1)
    room.wait("the autoscaler to look", lambda: reason(room, "ScalingActive") == "ScrapeBlocked")
    room.kubectl("scale", "deployment/assistant", "--replicas=2")
    room.wait("the foreign scaler", lambda: reason(room, "ScalingActive") == "ForeignScaler")
    message = room.conditions("assistant")["ScalingActive"]["message"]
    assert "kubectl wrote 2 replicas" in message
    assert "autoscaling.mode External" in message
    assert replicas(room) == 2


def test_a_pod_that_finds_no_place_is_named_with_the_schedulers_words(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 1)
    room.ask("assistant", contextLength="64K", autoscaling=INTERNAL)
    room.wait_ready("assistant")
    room.wait("a cold start to be known", lambda: status(room)["autoscaling"]["coldStartSeconds"] < 15)
    room.ask("assistant", contextLength="64K", autoscaling=INTERNAL | {"minReplicas": 2})
    room.wait("the pod to be overdue", lambda: reason(room, "ScalingLimited") == "PodsOverdue", 120)
    assert "Insufficient nvidia.com/gpu" in room.conditions("assistant")["ScalingLimited"]["message"]
    assert room.conditions("assistant")["Available"]["status"] == "True"
