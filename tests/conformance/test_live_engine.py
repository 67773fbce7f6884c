"""Plans against fact: real vLLM on CPU, started with the operator's own arguments."""

import json
from pathlib import Path

import pytest

from gemma_operator.vllm.metrics import LivePool, live_pool, load
from images.tiny.host_engine import HostEngine, host_engine, plan_tiny
from images.tiny.models import transcripts

pytestmark = pytest.mark.e2e


def pool_of(engine: HostEngine) -> LivePool:
    pool = live_pool(engine.text("/metrics"))
    assert pool is not None
    return pool


@pytest.mark.parametrize(("name", "context"), [("tiny-e2b", 4096), ("tiny-moe", 8192)])
def test_blocks_and_concurrency_of_the_live_engine_are_those_of_the_plan(
    name: str, context: int, tmp_path: Path
) -> None:
    with host_engine(plan_tiny(name, context), tmp_path / "engine.log") as engine:
        pool = pool_of(engine)
        plan = engine.plan
    assert pool.num_blocks == plan.num_blocks
    assert pool.blocks_per_request == plan.blocks_per_request
    assert pool.max_concurrency == pytest.approx(plan.max_concurrency)
    assert pool.max_model_len == context


def test_a_31b_like_engine_answers_thinks_and_calls_tools(tmp_path: Path) -> None:
    with host_engine(plan_tiny("tiny-chat", 2048), tmp_path / "engine.log") as engine:
        pool = pool_of(engine)
        assert (pool.num_blocks, pool.blocks_per_request) == (engine.plan.num_blocks, engine.plan.blocks_per_request)
        for transcript in transcripts():
            body = {"model": "tiny", "temperature": 0, "max_tokens": 200, "messages": transcript["messages"]}
            if "tools" in transcript:
                body["tools"] = transcript["tools"]
            if transcript.get("thinking"):
                body["chat_template_kwargs"] = {"enable_thinking": True}
            message = engine.post("/v1/chat/completions", body)["choices"][0]["message"]
            deltas = [event["choices"][0]["delta"] for event in engine.stream("/v1/chat/completions", body)]
            if "answer" in transcript:
                assert message["content"].strip() == transcript["answer"]
                assert "".join(delta.get("content") or "" for delta in deltas).strip() == transcript["answer"]
            if "reasoning" in transcript:
                assert message["reasoning"].strip() == transcript["reasoning"]
                streamed = "".join(delta.get("reasoning") or "" for delta in deltas)
                assert streamed.strip() == transcript["reasoning"]
            if "call" in transcript:
                call = message["tool_calls"][0]["function"]
                assert call["name"] == transcript["call"]["name"]
                assert json.loads(call["arguments"]) == transcript["call"]["arguments"]
                parts = [part["function"] for delta in deltas for part in delta.get("tool_calls") or ()]
                joined = "".join(part.get("arguments") or "" for part in parts)
                assert json.loads(joined) == transcript["call"]["arguments"]
        current = load(engine.text("/metrics"))
        assert current is not None
        assert current.waiting == 0
