"""From ``kubectl apply`` to tokens: the real chart, a real kubelet, a real vLLM. One story, in this order."""

import json
import threading
from typing import Any

import pytest

from e2e.chat import Chat
from e2e.cluster.egress import EgressAttempts
from e2e.stack import SYSTEM_NAMESPACE, Stack, catalog_config_map
from e2e.waiting import wait_for
from images.tiny.models import transcripts
from images.tiny.shapes import catalog_text

pytestmark = pytest.mark.e2e
PLANTED = "planted-7f3a91c2"
"""A text that goes through a prompt and must be found nowhere else."""

OWNED = "deployments,services,configmaps,serviceaccounts,poddisruptionbudgets,networkpolicies,controllerrevisions,pods"


@pytest.fixture(scope="module")
def assistant(stack: Stack) -> Chat:
    stack.cluster.apply([stack.manifest("assistant", "tiny-chat", contextLength="2K")])
    stack.wait_ready("assistant")
    return Chat(stack.address("assistant"), "assistant")


def test_the_promise_is_seen_on_the_running_pod(stack: Stack, assistant: Chat) -> None:
    wait_for("the pool to be seen", lambda: stack.conditions("assistant")["ContextHonored"]["status"] == "True", 60)
    assert "2,048 tokens" in stack.conditions("assistant")["ContextHonored"]["message"]


@pytest.mark.parametrize("transcript", transcripts(), ids=["plain", "long", "thinking", "tool"])
def test_it_answers_thinks_and_calls_a_tool(assistant: Chat, transcript: dict[str, Any]) -> None:
    message, streamed = assistant.message(transcript), assistant.streamed(transcript)
    if "answer" in transcript:
        assert message["content"].strip() == transcript["answer"] == streamed["content"].strip()
    if "reasoning" in transcript:
        assert message["reasoning"].strip() == transcript["reasoning"] == streamed["reasoning"].strip()
    if "call" in transcript:
        call = message["tool_calls"][0]["function"]
        assert call["name"] == transcript["call"]["name"]
        assert json.loads(call["arguments"]) == transcript["call"]["arguments"] == json.loads(streamed["arguments"])


def test_a_change_of_context_cuts_no_request(stack: Stack, assistant: Chat) -> None:
    failures: list[str] = []
    answered = 0
    done = threading.Event()

    def ask() -> None:
        nonlocal answered
        while not done.is_set():
            try:
                assert assistant.streamed(transcripts()[0])["content"].strip() == transcripts()[0]["answer"]
                answered += 1
                done.wait(0.3)  # two cores: the new engine needs one of them to start
            except Exception as error:  # every failure is a lost request
                failures.append(repr(error))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        stack.kubectl("patch", "gd", "assistant", "--type=merge", "-p", '{"spec":{"contextLength":"4K"}}')
        stack.wait_ready("assistant", 400)
        wait_for("the old pod to go", lambda: len(stack.get("pods")["items"]) == 1, 180, 1)
    finally:
        done.set()
        asking.join()
    assert failures == []
    assert answered > 5
    assert stack.get("gemmadeployment", "assistant")["status"]["plan"]["contextLength"] == 4096


def test_an_impossible_ask_is_explained_while_the_old_pods_serve(stack: Stack, assistant: Chat) -> None:
    stack.kubectl("patch", "gd", "assistant", "--type=merge", "-p", '{"spec":{"contextLength":"64K"}}')
    wait_for("the refusal", lambda: stack.conditions("assistant")["Ready"]["reason"] == "PlanImpossible", 60)
    found = stack.conditions("assistant")
    assert "8,192 tokens" in found["Ready"]["message"]
    assert found["Available"]["status"] == "True"
    assert assistant.message(transcripts()[0])["content"].strip() == transcripts()[0]["answer"]
    stack.kubectl("patch", "gd", "assistant", "--type=merge", "-p", '{"spec":{"contextLength":"4K"}}')
    stack.wait_ready("assistant", 60)


def test_no_prompt_is_found_in_logs_events_or_status(stack: Stack, assistant: Chat) -> None:
    secret = {"messages": [{"role": "user", "content": f"{PLANTED} and nothing else"}]}
    assert assistant.message(secret)["content"] is not None
    bad = assistant.body(secret) | {"max_tokens": -5}
    with pytest.raises(ConnectionError):
        assistant.send(bad)
    texts = [
        stack.kubectl("logs", "deployment/assistant", "--all-containers"),
        stack.kubectl("get", "gemmadeployments,events,pods", "-o", "json"),
        stack.cluster.kubectl("--namespace", SYSTEM_NAMESPACE, "logs", "deployment/gemma-operator"),
    ]
    assert all(texts)
    assert not any(PLANTED in text for text in texts)


def test_a_refusal_of_memory_is_named_with_its_numbers(stack: Stack) -> None:
    """A catalog that is wrong about a model: the plan gives the engine less pool than it needs."""
    wrong = catalog_text().replace("tiny-31B-like", "tiny-wrong").replace("gemma-operator/tiny-chat", "wrong/tiny-chat")
    wrong = wrong.replace("num_key_value_heads: 4", "num_key_value_heads: 1")
    wrong = wrong.replace("num_global_key_value_heads: 2", "num_global_key_value_heads: 1", 1)
    stack.cluster.apply([catalog_config_map("wrong-models", "models", wrong)])
    manifest = stack.manifest("liar", "tiny-chat", contextLength="8K")
    manifest["spec"]["model"] |= {"variant": "tiny-wrong", "checkpoint": "wrong/tiny-chat"}
    stack.cluster.apply([manifest])
    try:
        wait_for(
            "the refusal",
            lambda: stack.conditions("liar")["Ready"]["reason"] == "MemoryRefused",
            240,
            1,
            describe=lambda: stack.kubectl("get", "gd,pods", "-o", "wide"),
        )
        message = stack.conditions("liar")["Degraded"]["message"]
        assert "To serve at least one request" in message
        assert "GiB" in message
    finally:
        stack.kubectl("delete", "gemmadeployment", "liar", "--timeout=30s")
        stack.cluster.kubectl("--namespace", SYSTEM_NAMESPACE, "delete", "configmap", "wrong-models")


def test_deletion_leaves_no_object(stack: Stack, assistant: Chat) -> None:
    stack.kubectl("delete", "gemmadeployment", "assistant", "--timeout=30s")
    label = "gemma-operator.io/deployment=assistant"
    wait_for("garbage collection", lambda: stack.get(OWNED, "-l", label)["items"] == [], 120, 1)


def test_an_engine_that_is_stopped_while_it_loads_gives_its_card_back(stack: Stack) -> None:
    """It does not hear SIGTERM yet, and its grace period is five minutes and more."""
    stack.cluster.apply([stack.manifest("hasty", "tiny-chat", contextLength="2K")])
    label = "gemma-operator.io/deployment=hasty"

    def loads() -> bool:
        pods = stack.get("pods", "-l", label)["items"]
        containers = [found for pod in pods for found in pod["status"].get("containerStatuses") or ()]
        return any("running" in found["state"] for found in containers)

    wait_for("the engine to load", loads, 120)
    stack.kubectl("delete", "gemmadeployment", "hasty", "--timeout=30s")
    wait_for("its pod to go", lambda: stack.get("pods", "-l", label)["items"] == [], 60, 1)


def test_two_gpus_serve_one_replica_by_tensor_parallel(stack: Stack) -> None:
    """So many long requests at once that one card's pool is too small."""
    stack.cluster.apply([stack.manifest("wide", "tiny-chat", contextLength="4K", concurrentRequests=6)])
    stack.wait_ready("wide", 400)
    plan = stack.get("gemmadeployment", "wide")["status"]["plan"]
    assert plan["tensorParallelSize"] == 2
    container = stack.get("deployment", "wide")["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "2"
    wide = Chat(stack.address("wide"), "wide")
    assert wide.message(transcripts()[0])["content"].strip() == transcripts()[0]["answer"]
    wait_for("the pool to be seen", lambda: stack.conditions("wide")["ContextHonored"]["status"] == "True", 60)
    stack.kubectl("delete", "gemmadeployment", "wide", "--timeout=30s")


def test_nothing_left_the_machine(stack: Stack, egress_before: EgressAttempts) -> None:
    """Counted by the packet filter over the whole story: the operator and all its engines."""
    assert stack.cluster.egress_attempts().outside == egress_before.outside
