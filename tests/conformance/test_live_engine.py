"""Plans against fact: real vLLM on CPU, started with the operator's own arguments."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gemma_operator.catalog.precision import Modality
from gemma_operator.vllm.metrics import live_pool
from images.tiny.host_engine import HostEngine, host_engine, plan_tiny
from images.tiny.models import transcripts

pytestmark = pytest.mark.e2e

CHAT = "/v1/chat/completions"
TOO_SMALL_FOR_ONE_GIB = 0.03
"""A card on which weights and one request of 8K of tiny-chat do not fit, but half of each does."""


def assert_the_pool_is_the_planned_one(engine: HostEngine) -> None:
    pool, plan = live_pool(engine.text("/metrics")), engine.plan
    assert pool is not None
    assert pool.num_blocks == plan.num_blocks
    assert pool.blocks_per_request == plan.blocks_per_request
    assert pool.max_concurrency == pytest.approx(plan.max_concurrency)
    assert pool.max_model_len == plan.launch.context_length


@pytest.mark.parametrize(("name", "context"), [("tiny-e2b", 4096), ("tiny-moe", 8192)])
def test_blocks_and_concurrency_of_the_live_engine_are_those_of_the_plan(
    name: str, context: int, tmp_path: Path
) -> None:
    with host_engine(plan_tiny(name, context), tmp_path / "engine.log") as engine:
        assert_the_pool_is_the_planned_one(engine)


def test_a_request_too_large_for_one_card_is_planned_and_served_on_two(tmp_path: Path) -> None:
    plan = plan_tiny("tiny-chat", 8192, gpus=2, card_gib=TOO_SMALL_FOR_ONE_GIB)
    assert plan.tensor_parallel_size == 2
    plain = next(transcript for transcript in transcripts() if "answer" in transcript)
    with host_engine(plan, tmp_path / "engine.log") as engine:
        assert_the_pool_is_the_planned_one(engine)
        answer = engine.post(CHAT, body_of(plain))["choices"][0]["message"]
    assert answer["content"].strip() == plain["answer"]


def test_an_engine_planned_for_images_keeps_its_pool_and_reads_an_image(tmp_path: Path) -> None:
    plan = plan_tiny("tiny-vision", 4096, modalities=frozenset({Modality.TEXT, Modality.IMAGE}))
    pixels = base64.b64encode(b"P6 96 96 255\n" + bytes(range(256)) * 108).decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/x-portable-pixmap;base64,{pixels}"}}
    question = {"type": "text", "text": "What is this?"}
    with host_engine(plan, tmp_path / "engine.log") as engine:
        assert_the_pool_is_the_planned_one(engine)
        seen, blind = (
            engine.post(CHAT, {"model": "tiny", "max_tokens": 4, "messages": [{"role": "user", "content": content}]})
            for content in ([image, question], [question])
        )
    # Soft tokens of a square picture: the largest square within 280. Two more open and close the image.
    assert seen["usage"]["prompt_tokens"] - blind["usage"]["prompt_tokens"] == 16 * 16 + 2


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostEngine]:
    log = tmp_path_factory.mktemp("tiny-chat") / "engine.log"
    with host_engine(plan_tiny("tiny-chat", 2048), log) as engine:
        yield engine


def body_of(transcript: dict[str, Any]) -> dict[str, Any]:
    body = {"model": "tiny", "temperature": 0, "max_tokens": 200, "messages": transcript["messages"]}
    if "tools" in transcript:
        body["tools"] = transcript["tools"]
    if transcript.get("thinking"):
        body["chat_template_kwargs"] = {"enable_thinking": True}
    return body


def said(engine: HostEngine, transcript: dict[str, Any], streamed: bool) -> dict[str, Any]:
    """Content, reasoning and tool calls, the streamed pieces put together."""
    body = body_of(transcript)
    if not streamed:
        message: dict[str, Any] = engine.post(CHAT, body)["choices"][0]["message"]
        calls = [call["function"] for call in message.get("tool_calls") or ()]
        return {"content": message["content"], "reasoning": message.get("reasoning"), "calls": calls}
    deltas = [event["choices"][0]["delta"] for event in engine.stream(CHAT, body)]
    assert len(deltas) > 2, "one piece is no stream"
    pieces = [piece for delta in deltas for piece in delta.get("tool_calls") or ()]
    calls = [
        {
            part: "".join(piece["function"].get(part) or "" for piece in pieces if piece["index"] == index)
            for part in ("name", "arguments")
        }
        for index in sorted({piece["index"] for piece in pieces})
    ]
    whole = {part: "".join(delta.get(part) or "" for delta in deltas) for part in ("content", "reasoning")}
    return whole | {"calls": calls}


def test_the_pool_of_the_chatting_engine_is_the_planned_one(chat: HostEngine) -> None:
    assert_the_pool_is_the_planned_one(chat)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("transcript", transcripts(), ids=lambda known: known["messages"][-1]["content"])
def test_answers_reasoning_and_tool_calls_come_back_parsed(
    chat: HostEngine, transcript: dict[str, Any], streamed: bool
) -> None:
    heard = said(chat, transcript, streamed)
    assert (heard["content"] or "").strip() == transcript.get("answer", "")
    assert (heard["reasoning"] or "").strip() == transcript.get("reasoning", "")
    calls = [{"name": call["name"], "arguments": json.loads(call["arguments"])} for call in heard["calls"]]
    assert calls == ([transcript["call"]] if "call" in transcript else [])
