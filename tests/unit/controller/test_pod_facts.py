"""What is read from a pod object, in the forms that a kubelet and a scheduler write."""

from typing import Any

import pytest

from gemma_operator.controller.cluster_source import bound_gpus, gpu_node
from gemma_operator.controller.pod_facts import pod_facts


def a_pod(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "engine", "resources": {"limits": {"nvidia.com/gpu": "2"}}}
    return {
        "metadata": {
            "name": "assistant-7d9f-x2x4z",
            "uid": "u",
            "labels": {"gemma-operator.io/serving": "true"},
            "annotations": {"gemma-operator.io/plan-hash": "0123456789"},
        },
        "spec": {"containers": [container], **spec},
        "status": status or {},
    }


def test_a_pod_that_was_just_created_has_nothing_yet() -> None:
    facts = pod_facts(a_pod())
    assert (facts.node, facts.address, facts.ready, facts.waiting) == ("", "", False, "")
    assert facts.template_digest == "0123456789"
    assert facts.serving


def test_a_ready_pod_has_a_node_an_address_and_gpus() -> None:
    status = {"podIP": "10.244.0.7", "conditions": [{"type": "Ready", "status": "True"}]}
    facts = pod_facts(a_pod(status, nodeName="n1"))
    assert (facts.node, facts.address, facts.ready, facts.gpus) == ("n1", "10.244.0.7", True, 2)


def test_the_schedulers_sentence_is_kept() -> None:
    said = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said}
    assert pod_facts(a_pod({"conditions": [condition]})).unschedulable == said


def test_a_gate_is_not_unschedulable() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "gated"}
    assert pod_facts(a_pod({"conditions": [condition]})).unschedulable == ""


def test_what_an_engine_left_behind_is_read_after_its_restart() -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": "ValueError: To serve at least one request"}}
    status = {"containerStatuses": [{"restartCount": 2, "state": {"running": {}}, "lastState": ended}]}
    facts = pod_facts(a_pod(status))
    assert facts.termination_message.startswith("ValueError")
    assert facts.restarts == 2


def test_an_end_without_words_is_its_exit_code() -> None:
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    facts = pod_facts(a_pod({"containerStatuses": [{"state": ended}]}))
    assert facts.termination_message == "exit code 137: OOMKilled"


def test_a_clean_end_leaves_no_message() -> None:
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "message": "bye"}}
    assert pod_facts(a_pod({"containerStatuses": [{"state": ended}]})).termination_message == ""


def test_an_image_that_can_not_be_pulled_is_what_it_waits_for() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "back-off pulling image"}}
    facts = pod_facts(a_pod({"containerStatuses": [{"state": waiting}]}))
    assert facts.waiting == "ImagePullBackOff: back-off pulling image"


@pytest.mark.parametrize(
    ("phase", "counted"), [("Running", 2), ("Pending", 2), ("Succeeded", 0), ("Failed", 0), (None, 2)]
)
def test_gpus_count_from_binding_to_the_end(phase: str | None, counted: int) -> None:
    assert bound_gpus(a_pod({"phase": phase} if phase else {}, nodeName="n1"))[1] == counted


def test_a_pod_without_a_node_takes_no_gpu() -> None:
    assert bound_gpus(a_pod()) == ("", 0)


def test_a_terminating_pod_still_holds_its_gpus() -> None:
    pod = a_pod({"phase": "Running"}, nodeName="n1")
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert bound_gpus(pod) == ("n1", 2)


def test_init_containers_count_where_they_want_more() -> None:
    first = {"name": "warm-up", "resources": {"requests": {"nvidia.com/gpu": "4"}}}
    assert bound_gpus(a_pod(nodeName="n1", initContainers=[first])) == ("n1", 4)


def test_a_node_is_reduced_to_what_a_plan_may_depend_on() -> None:
    node = {
        "metadata": {"name": "n1", "labels": {"nvidia.com/gpu.product": "NVIDIA-L40S"}, "managedFields": [{}]},
        "spec": {"podCIDR": "10.0.0.0/24", "unschedulable": True},
        "status": {
            "allocatable": {"nvidia.com/gpu": "4"},
            "images": [{"names": ["large"]}],
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "False"}],
        },
    }
    assert gpu_node(node) == {
        "metadata": {"name": "n1", "labels": {"nvidia.com/gpu.product": "NVIDIA-L40S"}},
        "spec": {"unschedulable": True},
        "status": {"allocatable": {"nvidia.com/gpu": "4"}, "conditions": [{"type": "Ready", "status": "True"}]},
    }


def test_a_node_without_gpus_is_left_out() -> None:
    assert gpu_node({"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "4"}}}) is None


def test_the_times_of_a_pod_are_seconds_of_the_wall_clock() -> None:
    pod = a_pod({"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-24T12:01:30Z"}]})
    pod["metadata"]["creationTimestamp"] = "2026-11-24T12:00:00Z"
    pod["metadata"]["annotations"]["gemma-operator.io/drain-deadline"] = "2026-11-24T12:05:00Z"
    facts = pod_facts(pod)
    assert facts.ready_at is not None
    assert facts.drain_deadline is not None
    assert facts.ready_at - facts.created_at == 90
    assert facts.drain_deadline - facts.created_at == 300


def test_a_drain_deadline_that_is_no_time_has_passed() -> None:
    pod = a_pod()
    pod["metadata"]["annotations"]["gemma-operator.io/drain-deadline"] = "soon"
    assert pod_facts(pod).drain_deadline == 0.0
    assert pod_facts(a_pod()).drain_deadline is None
