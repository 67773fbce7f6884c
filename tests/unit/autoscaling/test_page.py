"""What the autoscaler reads off a real metrics page, and off pages that are wrong."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.autoscaling.page import read_sample
from gemma_operator.autoscaling.sample import Sample

PAGE = (Path(__file__).parents[1] / "vllm" / "data" / "metrics_under_load.txt").read_text()
"""vLLM 0.32.0 on CPU: 12 running, 25 waiting, 23 answered, 35 preemptions."""

ANSWERED = 'http_requests_total{handler="/v1/chat/completions",method="POST",status="2xx"} 23.0\n'


def sample(page: str = PAGE) -> Sample:
    read = read_sample(page, 100.0)
    assert read is not None
    return read


def test_a_real_page_tells_load_tokens_and_answers() -> None:
    read = sample()
    assert (read.at_seconds, read.running, read.waiting) == (100.0, 12, 25)
    assert (read.answered, read.rejected, read.preemptions) == (23, 0, 35)
    assert (read.prompt_tokens, read.scheduled_prompt_tokens, read.cached_prompt_tokens) == (12844, 12844, 9472)
    assert read.generation_tokens == 14450
    assert read.kv_usage == pytest.approx(0.962, abs=0.001)


def test_a_real_page_tells_lengths_and_latencies_as_whole_histograms() -> None:
    read = sample()
    assert (read.prompt_lengths.count, read.prompt_lengths.sum) == (23, 7774)
    assert (read.answer_lengths.count, read.answer_lengths.sum) == (23, 11500)
    assert (read.time_to_first_token_seconds.count, read.inter_token_seconds.count) == (38, 14412)
    bounds = [bound for bound, _ in read.inter_token_seconds.buckets]
    assert bounds == sorted(bounds)
    assert math.isinf(bounds[-1])


def test_the_engines_of_one_server_add_up_and_their_cache_use_is_a_mean() -> None:
    lines = [line for line in PAGE.splitlines(keepends=True) if 'engine="0"' in line]
    second = "".join(lines).replace('engine="0"', 'engine="1"').replace("9620253164556962", "0379746835443038")
    one, both = sample(), sample(second + PAGE)
    assert (both.running, both.waiting) == (24, 50)
    assert both.kv_usage == pytest.approx(0.5)
    assert both.inter_token_seconds.count == 2 * one.inter_token_seconds.count
    assert both.inter_token_seconds.sum == pytest.approx(2 * one.inter_token_seconds.sum)
    assert both.answered == one.answered


def test_only_requests_that_generate_and_were_let_in_count_as_answered() -> None:
    def line(handler: str, status: str) -> str:
        return f'http_requests_total{{handler="{handler}",method="POST",status="{status}"}} 7.0\n'

    others = line("/metrics", "2xx") + line("/v1/chat/completions", "5xx") + line("/v1/chat/completions", "4xx")
    more = line("/v1/completions", "2xx") + line("/v1/responses", "2xx")
    assert sample(PAGE.replace(ANSWERED, ANSWERED + others)).answered == 23
    assert sample(PAGE.replace(ANSWERED, ANSWERED + more)).answered == 37


def test_requests_turned_away_are_counted_whatever_the_reason() -> None:
    page = re.sub(r'(admission_rejections_total\{[^}]*reason="max_num_queued_reqs"\}) 0\.0', r"\1 5.0", PAGE)
    page = re.sub(r'(admission_rejections_total\{[^}]*reason="max_num_queued_tokens"\}) 0\.0', r"\1 2.0", page)
    assert sample(page).rejected == 7


def test_before_the_first_request_what_was_answered_is_zero() -> None:
    assert sample(PAGE.replace(ANSWERED, "")).answered == 0


def test_an_engine_that_counts_no_scheduled_prompts_falls_back_to_those_that_ended() -> None:
    page = re.sub(r"vllm:prefix_cache_queries_total\{.*\n", "", PAGE)
    assert sample(page).scheduled_prompt_tokens == 12844


@pytest.mark.parametrize("family", ["num_requests_waiting", "generation_tokens_total", "kv_cache_usage_perc"])
def test_a_page_without_a_needed_family_is_no_sample(family: str) -> None:
    assert read_sample(re.sub(rf"vllm:{family}\{{.*\n", "", PAGE), 0.0) is None


@pytest.mark.parametrize("wrong", ["NaN", "+Inf", "-Inf"])
@pytest.mark.parametrize("family", ["num_requests_running", "prompt_tokens_total", "inter_token_latency_seconds_sum"])
def test_a_number_that_is_none_makes_the_page_unknown(family: str, wrong: str) -> None:
    assert read_sample(re.sub(rf"(vllm:{family}\{{.*\}}) \S+", rf"\1 {wrong}", PAGE), 0.0) is None


def test_a_histogram_without_its_last_bucket_is_no_sample() -> None:
    page = re.sub(r'vllm:inter_token_latency_seconds_bucket\{.*le="\+Inf".*\n', "", PAGE)
    assert read_sample(page, 0.0) is None


@given(st.integers(0, len(PAGE) - 1))
def test_a_page_that_was_cut_never_shows_fewer_answers_than_were_given(end: int) -> None:
    read = read_sample(PAGE[:end], 100.0)
    assert read is None or read == sample()


@given(st.text(max_size=300))
def test_any_text_is_a_sample_or_none(text: str) -> None:
    assert read_sample(text, 0.0) is None
    read_sample(PAGE + text, 0.0)
