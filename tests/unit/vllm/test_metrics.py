"""The pool and the load of an engine, read from a real page and from pages that are wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.vllm.metrics import LivePool, Load, live_pool, load

PAGE = (Path(__file__).parent / "data" / "metrics_under_load.txt").read_text()
"""vLLM 0.32.0 on CPU: 12 running, 25 waiting, context 1,024, 80 blocks."""

INFO = next(line for line in PAGE.splitlines() if line.startswith("vllm:cache_config_info{"))


def with_labels(**labels: str) -> str:
    """The info line with other labels."""
    line = INFO
    for name, value in labels.items():
        start = line.index(f'{name}="') + len(name) + 2
        line = line[:start] + value + line[line.index('"', start) :]
    return line + "\n"


def test_the_pool_of_a_real_page_is_the_one_in_the_log() -> None:
    pool = live_pool(PAGE)
    assert pool == LivePool(num_blocks=80, max_concurrency=4.444444444444445, kv_tokens=4551)
    assert pool.blocks_per_request == 18
    assert pool.max_model_len == 1024


def test_the_load_of_a_real_page_leaves_out_the_waiting_by_reason() -> None:
    assert load(PAGE) == Load(running=12, waiting=25)


def test_engines_of_one_server_are_summed_in_load_but_never_in_the_pool() -> None:
    second = PAGE.replace('engine="0"', 'engine="1"')
    assert live_pool(PAGE + second) == live_pool(PAGE)
    assert load(PAGE + second) == Load(running=24, waiting=50)


@pytest.mark.parametrize(
    "labels",
    [
        {"num_gpu_blocks": "None"},
        {"num_gpu_blocks": "0"},
        {"kv_cache_max_concurrency": "nan"},
        {"kv_cache_max_concurrency": "inf"},
        {"kv_cache_max_concurrency": "0.0"},
        {"kv_cache_size_tokens": "inf"},
        {"kv_cache_size_tokens": "-1"},
    ],
    ids=str,
)
def test_a_pool_that_is_no_pool_is_unknown(labels: dict[str, str]) -> None:
    assert live_pool(with_labels(**labels)) is None


@pytest.mark.parametrize("value", ["NaN", "+Inf", "many"])
def test_a_load_that_is_no_number_is_unknown(value: str) -> None:
    page = f"vllm:num_requests_running {value}\nvllm:num_requests_waiting 3.0\n"
    assert load(page) is None


def test_a_page_of_something_else_is_unknown() -> None:
    page = "# HELP go_goroutines\ngo_goroutines 12\n<html></html>\n"
    assert live_pool(page) is None
    assert load(page) is None


@given(st.integers(min_value=0, max_value=len(PAGE)))
def test_a_page_cut_anywhere_tells_the_truth_or_nothing(length: int) -> None:
    cut = PAGE[:length]
    assert live_pool(cut) in {None, live_pool(PAGE)}
    assert load(cut) in {None, load(PAGE)}


@given(st.integers(1, 2**20), st.integers(1, 2**20), st.integers(1, 2**20))
def test_context_and_blocks_follow_from_what_vllm_publishes(blocks: int, per_request: int, context: int) -> None:
    """vLLM publishes ``blocks / per_request`` and the whole tokens of that times the context."""
    concurrency = blocks / per_request
    if int(concurrency * context) == 0:
        return
    pool = live_pool(
        with_labels(
            num_gpu_blocks=str(blocks),
            kv_cache_max_concurrency=repr(concurrency),
            kv_cache_size_tokens=str(int(concurrency * context)),
        )
    )
    assert pool is not None
    assert pool.blocks_per_request == per_request
    if concurrency >= 1:
        assert pool.max_model_len == context
