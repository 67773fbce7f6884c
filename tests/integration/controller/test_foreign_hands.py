"""Others change what is ours: it is named, put right, and costs no more than that."""

import json
from typing import Any

import pytest

from e2e.operator_process import OperatorProcess
from tests.integration.controller.conftest import Room

pytestmark = pytest.mark.integration


@pytest.fixture
def served(room: Room, operator: OperatorProcess) -> Room:
    """A room with a serving deployment."""
    room.nodes("L40S", 4)
    room.ask("assistant", contextLength="64K")
    room.wait_ready("assistant")
    return room


def template(room: Room) -> dict[str, Any]:
    found: dict[str, Any] = room.get("deployment", "assistant")["spec"]["template"]
    return found


def told(room: Room, manager: str) -> bool:
    """Whether an Event names that field manager."""
    events = room.get("events")["items"]
    return any(item["reason"] == "ForeignEdit" and manager in item["message"] for item in events)


def test_a_changed_image_is_named_and_put_back(served: Room) -> None:
    before = template(served)
    served.kubectl("set", "image", "deployment/assistant", "engine=registry.invalid/other:1", "--field-manager=hasty")
    served.wait("the edit to be told", lambda: told(served, "hasty"))
    served.wait("the image to be ours", lambda: template(served) == before)
    served.wait_ready("assistant")
    served.wait("Degraded to go", lambda: served.conditions("assistant")["Degraded"]["status"] == "False")


def test_host_network_is_taken_away_and_the_old_replica_set_is_back(served: Room) -> None:
    before = template(served)
    patch = json.dumps({"spec": {"template": {"spec": {"hostNetwork": True}}}})
    served.kubectl("patch", "deployment", "assistant", "--field-manager=curious", "-p", patch)
    served.wait("the edit to be told", lambda: told(served, "curious"))
    served.wait("the template to be ours", lambda: template(served) == before)
    served.wait_ready("assistant")
    sets = served.get("replicasets")["items"]
    assert [item["status"]["replicas"] for item in sets if item["spec"]["template"]["spec"].get("hostNetwork")] in (
        [],
        [0],
    )


def test_a_count_set_on_the_child_is_put_back(served: Room) -> None:
    served.kubectl("scale", "deployment/assistant", "--replicas=3")
    served.wait("one replica", lambda: served.get("deployment", "assistant")["spec"]["replicas"] == 1)


def test_a_deleted_child_comes_back(served: Room) -> None:
    for kind in ("service", "poddisruptionbudget", "networkpolicy", "serviceaccount"):
        old = served.get(kind, "assistant")["metadata"]["uid"]
        served.kubectl("delete", kind, "assistant")
        # Only pods and Deployments are watched; a change of the object itself is what any controller acts on.
        served.kubectl("annotate", "gemmadeployment", "assistant", "--overwrite", f"looked-at={kind}")
        served.wait(
            f"{kind} to be back", lambda kind=kind, old=old: served.get(kind, "assistant")["metadata"]["uid"] != old
        )


def test_a_deleted_deployment_is_made_from_its_record(served: Room) -> None:
    before = template(served)
    served.kubectl("delete", "deployment", "assistant", "--cascade=foreground", "--timeout=30s")
    served.wait("the same template", lambda: template(served) == before)
    served.wait_ready("assistant")


def test_a_lost_status_is_written_again(served: Room) -> None:
    before = served.get("gemmadeployment", "assistant")["status"]
    served.kubectl("patch", "gemmadeployment", "assistant", "--subresource=status", "--type=json", "-p",
                   '[{"op": "remove", "path": "/status"}]')  # fmt: skip
    served.wait_ready("assistant")
    after = served.get("gemmadeployment", "assistant")["status"]
    for status in (before, after):
        for condition in status["conditions"]:
            condition.pop("lastTransitionTime")
    assert after == before


def test_labels_and_annotations_of_others_stay(served: Room) -> None:
    served.kubectl("label", "deployment", "assistant", "team=blue")
    served.kubectl("annotate", "service", "assistant", "mesh.example/port=8080")
    served.ask("assistant", contextLength="128K")
    served.wait_ready("assistant")
    assert served.get("deployment", "assistant")["metadata"]["labels"]["team"] == "blue"
    assert served.get("service", "assistant")["metadata"]["annotations"]["mesh.example/port"] == "8080"


def test_a_whole_life_makes_few_events(served: Room) -> None:
    served.ask("assistant", contextLength="128K")
    served.wait_ready("assistant")
    served.ask("assistant", contextLength="64K", replicas=2)
    served.wait_ready("assistant")
    ours = [item for item in served.get("events")["items"] if item["involvedObject"]["kind"] == "GemmaDeployment"]
    assert 1 <= len(ours) <= 15
    assert all(item["reason"].isalnum() and item["message"] for item in ours)
