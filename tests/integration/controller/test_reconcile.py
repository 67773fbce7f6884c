"""The operator on a real API server with simulated GPU nodes: what a user would see."""

import json
import time
from typing import Any

import pytest

from e2e.cluster import KubectlError
from e2e.operator_process import OperatorProcess
from tests.integration.controller.conftest import Room

pytestmark = pytest.mark.integration
OWNED = "deployments,services,configmaps,serviceaccounts,poddisruptionbudgets,networkpolicies,controllerrevisions,pods"


def owned(room: Room, name: str) -> dict[str, str]:
    """UID by kind and name of everything that carries the owner's label."""
    items = room.get(OWNED, "-l", f"gemma-operator.io/deployment={name}")["items"]
    return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in items}


def versions(room: Room, name: str) -> dict[str, str]:
    """Resource versions of the same and of the object itself."""
    items = room.get(f"{OWNED},gemmadeployments", "-l", f"gemma-operator.io/deployment={name}")["items"]
    items.append(room.get("gemmadeployment", name))
    return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["resourceVersion"] for item in items}


def engine(room: Room, name: str) -> dict[str, Any]:
    container: dict[str, Any] = room.get("deployment", name)["spec"]["template"]["spec"]["containers"][0]
    return container


def argument(room: Room, name: str, flag: str) -> str:
    arguments = engine(room, name)["args"]
    return str(arguments[arguments.index(flag) + 1])


def test_a_context_length_becomes_a_serving_deployment(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 4)
    room.ask("assistant", contextLength="256K")
    room.wait_ready("assistant")
    status = room.get("gemmadeployment", "assistant")["status"]
    assert status["plan"]["variant"] == "31B"
    assert status["plan"]["kvCacheDtype"] == "FP8"
    assert status["readyReplicas"] == 1
    assert status["url"] == f"http://assistant.{room.name}.svc"
    assert argument(room, "assistant", "--max-model-len") == "262144"
    assert engine(room, "assistant")["resources"]["limits"]["nvidia.com/gpu"] == "1"
    found = room.conditions("assistant")
    assert {name: item["status"] for name, item in found.items()} == {
        "Ready": "True",
        "Available": "True",
        "Progressing": "False",
        "Planned": "True",
        "ContextHonored": "Unknown",  # a simulated pod has no engine to ask
        "Stalled": "False",
        "Degraded": "False",
    }


def test_kubectl_waits_scales_and_shows_it_in_80_columns(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 4)
    room.ask("assistant", contextLength="64K")
    room.kubectl("wait", "--for=condition=Ready", "gemma/assistant", "--timeout=40s")
    room.kubectl("scale", "gd/assistant", "--replicas=3")
    room.kubectl("wait", "--for=jsonpath={.status.readyReplicas}=3", "gd/assistant", "--timeout=40s")
    room.wait_ready("assistant")
    table = room.kubectl("get", "gd")
    assert max(len(line) for line in table.splitlines()) <= 80
    assert "64K" in table
    assert "3/3" in table


def test_an_impossible_ask_is_explained_while_the_old_pods_serve(room: Room, operator: OperatorProcess) -> None:
    room.nodes("RTX-4090", 1)
    room.ask("assistant", contextLength="64K", model={"variant": "26B-A4B"})
    room.wait_ready("assistant")
    before = owned(room, "assistant")
    room.ask("assistant", contextLength="256K", model={"variant": "31B"})
    room.wait("the refusal", lambda: room.conditions("assistant")["Ready"]["reason"] == "PlanImpossible")
    found = room.conditions("assistant")
    assert found["Available"]["status"] == "True"
    assert found["Stalled"]["status"] == "True"
    assert found["Degraded"]["status"] == "True"
    assert "GiB" in found["Ready"]["message"]
    assert "What would fit" in found["Ready"]["message"]
    status = room.get("gemmadeployment", "assistant")["status"]
    assert status["readyReplicas"] == 1
    assert status["nearest"]
    assert owned(room, "assistant") == before


def test_a_change_of_context_rolls_out_and_keeps_the_service(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 4)
    room.ask("assistant", contextLength="64K")
    room.wait_ready("assistant")
    service = room.get("service", "assistant")["metadata"]["uid"]
    room.ask("assistant", contextLength="128K")
    room.wait_ready("assistant")
    assert argument(room, "assistant", "--max-model-len") == str(128 * 1024)
    assert room.get("service", "assistant")["metadata"]["uid"] == service
    assert room.get("gemmadeployment", "assistant")["status"]["plan"]["contextLength"] == 128 * 1024


def test_a_roll_out_right_after_a_scale_down_uses_the_gpu_that_came_free(room: Room, operator: OperatorProcess) -> None:
    """The count of free GPUs is kept for half a minute, and by that count the last pod would have to go first."""
    room.nodes("L40S", 2)
    room.ask("assistant", contextLength="64K", replicas=2)
    room.wait_ready("assistant")
    pods = ("pods", "-l", "gemma-operator.io/deployment=assistant")
    operator.stop()
    operator.start()  # counts both GPUs as used
    room.ask("assistant", contextLength="64K", replicas=1)
    room.wait("one pod", lambda: len(room.get(*pods)["items"]) == 1)
    room.ask("assistant", contextLength="128K", replicas=1)
    room.wait("the new template", lambda: argument(room, "assistant", "--max-model-len") == str(128 * 1024))
    strategy = room.get("deployment", "assistant")["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxSurge": 1, "maxUnavailable": 0}
    room.wait_ready("assistant")


def test_plan_only_plans_and_creates_nothing(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 1)
    room.ask("assistant", contextLength="256K", planOnly=True)
    room.wait("the plan", lambda: room.conditions("assistant")["Planned"]["status"] == "True")
    found = room.conditions("assistant")
    assert found["Ready"]["reason"] == "PlanOnly"
    assert found["Available"]["status"] == "False"
    assert room.get("gemmadeployment", "assistant")["status"]["proposedPlan"]["variant"] == "31B"
    assert owned(room, "assistant") == {}


def test_a_paused_service_is_left_as_it_is_until_the_annotation_goes(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 2)
    room.ask("assistant", contextLength="64K")
    room.wait_ready("assistant")
    room.kubectl("annotate", "gd", "assistant", "gemma-operator.io/paused=true")
    room.ask("assistant", contextLength="128K", replicas=2)
    room.kubectl("delete", "service", "assistant")
    room.wait("the pause to be said", lambda: room.conditions("assistant")["Ready"]["reason"] == "Paused")
    found = room.get("gemmadeployment", "assistant")["status"]
    assert (found["plan"]["contextLength"], found["proposedPlan"]["contextLength"]) == (64 * 1024, 128 * 1024)
    assert argument(room, "assistant", "--max-model-len") == str(64 * 1024)
    assert room.get("deployment", "assistant")["spec"]["replicas"] == 1
    assert room.get("services")["items"] == []
    room.kubectl("annotate", "gd", "assistant", "gemma-operator.io/paused-")
    room.wait_ready("assistant")
    assert argument(room, "assistant", "--max-model-len") == str(128 * 1024)
    assert room.get("service", "assistant")


def test_a_new_time_in_the_annotation_reconciles_at_once(room: Room, operator: OperatorProcess) -> None:
    """A deleted Service is else noticed at the next change or resync."""
    room.nodes("L40S", 1)
    room.ask("assistant", contextLength="64K")
    room.wait_ready("assistant")
    room.kubectl("delete", "service", "assistant")
    room.kubectl("annotate", "gd", "assistant", "gemma-operator.io/reconcile-at=now")
    room.wait("the Service", lambda: room.get("service", "assistant"), 20)


def test_plan_only_on_a_running_service_changes_nothing_of_it(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 2)
    room.ask("assistant", contextLength="64K")
    room.wait_ready("assistant")
    before = versions(room, "assistant")
    room.ask("assistant", contextLength="256K", planOnly=True)
    room.wait("the proposal", lambda: room.get("gemmadeployment", "assistant")["status"]["proposedPlan"])
    after = versions(room, "assistant")
    mine = "GemmaDeployment/assistant"
    assert {name: version for name, version in after.items() if name != mine} == {
        name: version for name, version in before.items() if name != mine
    }


def test_nothing_is_written_at_rest_and_a_restart_changes_nothing(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 2)
    room.ask("assistant", contextLength="64K", replicas=2)
    room.wait_ready("assistant")
    settled = versions(room, "assistant")
    room.wait("the record to be pinned", lambda: _pinned(room))
    room.wait("the last word on the start", lambda: _still(room))
    settled = versions(room, "assistant")
    seen = len(operator.lines())
    quiet_until = time.monotonic() + 20  # a span in which the operator looks again at least once
    while time.monotonic() < quiet_until:
        assert versions(room, "assistant") == settled
        time.sleep(1)
    operator.stop()
    operator.start()
    quiet_until = time.monotonic() + 8
    while time.monotonic() < quiet_until:
        assert versions(room, "assistant") == settled
        time.sleep(1)
    assert not [line for line in operator.lines()[seen:] if line["level"] == "error"]


def _still(room: Room) -> bool:
    """Whether nothing was written for three seconds: the status follows the pin by one pass."""
    before = versions(room, "assistant")
    time.sleep(3)
    return versions(room, "assistant") == before


def _pinned(room: Room) -> bool:
    items = room.get("controllerrevisions")["items"]
    return all((item["metadata"].get("annotations") or {}).get("gemma-operator.io/pinned") == "true" for item in items)


def test_deletion_leaves_no_object(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 1)
    room.ask("assistant", contextLength="64K")
    room.wait_ready("assistant")
    assert owned(room, "assistant")
    room.kubectl("delete", "gemmadeployment", "assistant", "--timeout=20s")
    room.wait("garbage collection", lambda: owned(room, "assistant") == {}, 60)


def test_a_name_that_is_taken_is_never_written_to(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 1)
    room.kubectl("create", "deployment", "assistant", "--image=registry.invalid/theirs:1")
    theirs = room.get("deployment", "assistant")
    room.ask("assistant", contextLength="64K")
    room.wait("the refusal", lambda: room.conditions("assistant")["Ready"]["reason"] == "NameTaken")
    assert room.conditions("assistant")["Degraded"]["status"] == "True"
    assert room.get("deployment", "assistant")["spec"] == theirs["spec"]


def test_what_others_add_to_the_pods_is_named_and_removed(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 2)
    room.ask("assistant", contextLength="64K")
    room.wait_ready("assistant")
    sidecar = {"spec": {"template": {"spec": {"containers": [{"name": "spy", "image": "registry.invalid/spy:1"}]}}}}
    room.kubectl("patch", "deployment", "assistant", "--field-manager=somebody", "-p", json.dumps(sidecar))

    def told() -> bool:
        events = room.get("events")["items"]
        return any(item["reason"] == "ForeignEdit" and "somebody" in item["message"] for item in events)

    room.wait("the foreign edit to be told", told)
    containers = room.get("deployment", "assistant")["spec"]["template"]["spec"]["containers"]
    assert [container["name"] for container in containers] == ["engine"]


def test_a_user_may_restart_the_engines(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 2)
    room.ask("assistant", contextLength="64K")
    room.wait_ready("assistant")
    room.kubectl("rollout", "restart", "deployment/assistant")
    room.kubectl("rollout", "status", "deployment/assistant", "--timeout=60s")
    room.wait_ready("assistant")
    annotations = room.get("deployment", "assistant")["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations


def test_a_restart_on_a_full_node_replaces_one_engine_after_the_other(room: Room, operator: OperatorProcess) -> None:
    """One new pod first would wait for ever; and the next restart with room begins with a new pod again."""
    room.nodes("L40S", 2)
    room.ask("assistant", contextLength="64K", replicas=2)
    room.wait_ready("assistant")
    room.kubectl("rollout", "restart", "deployment/assistant")
    room.kubectl("rollout", "status", "deployment/assistant", "--timeout=300s")
    room.wait_ready("assistant")

    def rolling() -> dict[str, int]:
        found: dict[str, int] = room.get("deployment", "assistant")["spec"]["strategy"]["rollingUpdate"]
        return found

    room.wait("the strategy of rest", lambda: rolling() == {"maxSurge": 1, "maxUnavailable": 0}, 60)


def test_a_change_of_annotations_alone_is_a_roll_out_of_its_own(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 1)
    room.ask("assistant", contextLength="64K")
    room.wait_ready("assistant")
    (before,) = room.get("pods")["items"]
    room.ask("assistant", contextLength="64K", engine={"pod": {"annotations": {"example.com/turn": "2"}}})
    room.wait_ready("assistant")
    serving = [item for item in room.get("pods")["items"] if "deletionTimestamp" not in item["metadata"]]
    assert [item["metadata"]["annotations"]["example.com/turn"] for item in serving] == ["2"]
    assert before["metadata"]["uid"] not in {item["metadata"]["uid"] for item in serving}


def test_extra_arguments_against_the_plan_are_refused_by_name(room: Room, operator: OperatorProcess) -> None:
    room.nodes("L40S", 1)
    room.ask("assistant", contextLength="64K", engine={"extraArgs": ["--gpu-mem", "0.99"]})
    room.wait("the refusal", lambda: room.conditions("assistant")["Ready"]["reason"] == "InvalidSpec")
    message = room.conditions("assistant")["Ready"]["message"]
    assert "--gpu-mem" in message
    assert "gpu-memory-utilization" in message
    assert owned(room, "assistant") == {}


def test_gpus_that_come_later_are_planned_on(room: Room, operator: OperatorProcess) -> None:
    room.ask("assistant", contextLength="64K")
    room.wait("the refusal", lambda: room.conditions("assistant")["Ready"]["reason"] == "PlanImpossible")
    room.nodes("L40S", 1)
    room.wait_ready("assistant", seconds=75)


def test_a_missing_field_name_is_refused_by_the_api_server(room: Room) -> None:
    manifest = room.manifest("assistant", contextLen="64K")
    with pytest.raises(KubectlError, match="contextLen"):
        room.cluster.apply([manifest])
