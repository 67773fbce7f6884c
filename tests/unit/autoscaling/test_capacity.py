"""Step times are learned from what an engine shows, and capacity follows from them."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.autoscaling.capacity import capacity, prefill_share, upper_tail
from gemma_operator.autoscaling.flow import Flow, quantile
from gemma_operator.autoscaling.mix import Mix
from gemma_operator.autoscaling.sample import Histogram
from gemma_operator.autoscaling.settings import StepTime
from gemma_operator.autoscaling.step_time import Learned, fitted, observed
from tests.unit.autoscaling.fleets import H100_LIKE, SETTINGS

MIX = Mix()


def shown(step: StepTime, running: float, prompt_rate: float, context: float) -> Flow:
    """Ten seconds of an engine that takes exactly ``step``."""
    kv = running * context
    fixed = step.base_seconds + step.per_sequence_seconds * running + step.per_kv_token_seconds * kv
    seconds = fixed / (1 - step.per_prompt_token_seconds * prompt_rate)
    tokens = 10 * running / seconds
    nothing = Histogram()
    between = Histogram(((math.inf, tokens),), tokens * seconds)
    prompts = prompt_rate * 10
    usage = kv / SETTINGS.kv_tokens
    return Flow(
        10, 1, 0, running, 0, usage, True, prompts, prompts, 1, tokens, nothing, nothing, nothing, between
    )  # fmt: skip


def test_an_engine_that_is_slower_than_its_roofline_is_found_out() -> None:
    true = StepTime(*(1.9 * value for value in (0.0203, 4.1e-5, 1.04e-7, 7.6e-5)))
    learned = Learned()
    for running in (2, 5, 10, 20, 40, 60) * 4:
        learned = observed(learned, [shown(true, running, 60.0 * running, 1200)], SETTINGS.kv_tokens)
    found, real = capacity(SETTINGS, fitted(learned, H100_LIKE), MIX, 1.0), capacity(SETTINGS, true, MIX, 1.0)
    assert found == pytest.approx(real, rel=0.1)
    assert learned.enough


def test_a_load_that_stands_still_teaches_no_nonsense() -> None:
    learned = Learned()
    for _ in range(2000):
        learned = observed(learned, [shown(H100_LIKE, 8, 300.0, 1200)], SETTINGS.kv_tokens)
    found, real = capacity(SETTINGS, fitted(learned, H100_LIKE), MIX, 1.0), capacity(SETTINGS, H100_LIKE, MIX, 1.0)
    assert found == pytest.approx(real, rel=0.2)


@given(st.floats(0.5, 4.0), st.floats(0.1, 3.0))
def test_a_slower_engine_and_a_rougher_router_carry_less(slower: float, dispersion: float) -> None:
    slow = StepTime(*(slower * value for value in (0.0203, 4.1e-5, 1.04e-7, 7.6e-5)))
    slower_still = StepTime(*(1.5 * slower * value for value in (0.0203, 4.1e-5, 1.04e-7, 7.6e-5)))
    rate = capacity(SETTINGS, slow, MIX, dispersion)
    assert rate > 0
    assert capacity(SETTINGS, slower_still, MIX, dispersion) <= rate
    assert capacity(SETTINGS, slow, MIX, dispersion + 0.5) <= rate


@given(st.floats(0.5, 10), st.floats(0.01, 20), st.floats(1, 5))
def test_longer_prefills_leave_less_of_the_time_and_never_too_little(
    target: float, service: float, unevenness: float
) -> None:
    share = prefill_share(target, service, unevenness)
    assert 0.45 <= prefill_share(target, service * 2, unevenness) <= share <= 0.8


def test_prompts_from_the_cache_leave_the_crowd_to_be_reckoned_with() -> None:
    """Where prefill costs nothing, answers are late for the others that run, and more so the more these vary."""
    cached = replace(MIX, computed_tokens=0.0)
    even, rough = (capacity(SETTINGS, H100_LIKE, cached, dispersion) for dispersion in (0.2, 2.0))
    assert 0 < rough < even


def test_a_skewed_sum_has_a_longer_tail_than_a_normal_one() -> None:
    normal, skewed = upper_tail(2.5, 0.0), upper_tail(2.5, 0.8)
    assert normal == pytest.approx(0.00621, rel=0.01)
    assert 2 * normal < skewed < 4 * normal
    assert upper_tail(-9.0, 0.8) == 1.0


def test_a_quantile_lies_in_its_bucket() -> None:
    histogram = Histogram(((1.0, 50.0), (2.0, 100.0), (math.inf, 100.0)), 130.0)
    assert quantile(histogram, 0.5) == 1.0
    assert quantile(histogram, 0.9) == pytest.approx(1.8)
    assert quantile(Histogram(), 0.9) == 0.0
