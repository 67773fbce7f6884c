"""What the policy must do whatever comes: bounds, rails, and more demand never fewer replicas."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_operator.autoscaling.decision import CapacitySource, Limit
from gemma_operator.autoscaling.fleet import Fleet, Pod, PodState
from gemma_operator.autoscaling.policy import State, decide
from tests.unit.autoscaling.fleets import SETTINGS, Load, fleet, run, sample

RATES = st.floats(0.01, 40)


@settings(max_examples=25)
@given(RATES, st.integers(1, 6), st.floats(0, 500), st.floats(0, 100))
def test_more_demand_never_means_fewer_replicas(rate: float, pods: int, arrivals: float, waiting: float) -> None:
    """From one and the same past: more requests that came in the last interval, or more that wait."""
    _, state = run([Load(rate)] * pods, ticks=25)
    seen = fleet(15.0 * 26, [Load(rate)] * pods)
    told = [pod.sample for pod in seen.pods if pod.sample is not None]
    busier = tuple(
        replace(pod, sample=replace(one, answered=one.answered + arrivals, waiting=one.waiting + waiting))
        for pod, one in zip(seen.pods, told, strict=True)
    )
    less, _ = decide(SETTINGS, seen, state)
    greater, _ = decide(SETTINGS, replace(seen, pods=busier), state)
    assert greater.wanted >= less.wanted
    assert greater.desired >= less.desired


@settings(max_examples=25)
@given(RATES, st.integers(1, 6), st.integers(1, 5), st.integers(0, 5))
def test_desired_stays_within_its_bounds(rate: float, pods: int, least: int, more: int) -> None:
    bounds = replace(SETTINGS, min_replicas=least, max_replicas=least + more)
    decision, _ = run([Load(rate)] * pods, ticks=30, settings=bounds)
    start = min(pods, least + more)
    assert decision.desired >= min(start, least)
    assert decision.desired <= max(pods, least + more)


@settings(max_examples=25)
@given(RATES, st.integers(2, 6))
def test_without_any_data_nothing_moves(rate: float, pods: int) -> None:
    _, state = run([Load(rate)] * pods, ticks=30)
    decision, _ = decide(SETTINGS, fleet(1000, [None] * pods), state)
    assert decision.desired == pods
    assert decision.blind


@settings(max_examples=25)
@given(st.integers(2, 6))
def test_an_idle_fleet_does_not_shrink_while_one_engine_is_silent(pods: int) -> None:
    decision, _ = run([Load(0.01)] * (pods - 1) + [None], ticks=60)
    assert decision.desired == pods
    assert decision.limit is Limit.NO_DATA


@settings(max_examples=25)
@given(RATES, st.integers(1, 8))
def test_the_first_decision_is_the_size_as_it_is(rate: float, pods: int) -> None:
    decision, _ = decide(SETTINGS, fleet(15, [Load(rate)] * pods), State())
    assert decision.desired == pods


@settings(max_examples=25)
@given(st.integers(2, 8), st.integers(1, 19))
def test_a_lost_state_shrinks_nothing_for_a_whole_window(pods: int, ticks: int) -> None:
    decision, _ = run([Load(0.01, running=0)] * pods, ticks=ticks)
    assert decision.desired == pods


def test_an_idle_fleet_shrinks_in_the_end_a_step_at_a_time() -> None:
    decision, _ = run([Load(0.05, running=1)] * 8, ticks=60)
    assert decision.desired == 6
    assert decision.limit is Limit.SCALE_DOWN_RATE


def test_a_roll_out_holds_the_size() -> None:
    decision, _ = run([Load(0.05, running=1)] * 4, ticks=60, rolling_out=True)
    assert decision.desired == 4


def test_pods_that_load_are_supply() -> None:
    busy = [Load(9.0, running=110, token_seconds=0.06)] * 2
    first, state = run(busy, ticks=8)
    assert first.desired > 2
    now, more = 15.0 * 9, first.wanted - 2
    again, _ = decide(SETTINGS, fleet(now, busy, loading=more), state)
    assert again.desired <= first.wanted + 1


def test_pods_that_are_overdue_bring_one_more_and_never_more_than_one() -> None:
    busy = [Load(9.0, running=110, token_seconds=0.06)] * 2
    _, state = run(busy, ticks=8)
    wanted = []
    for overdue in range(4):
        late = tuple(Pod(f"late-{n}", PodState.LOADING, 1000.0) for n in range(overdue))
        seen = fleet(135.0, busy)
        decision, _ = decide(SETTINGS, replace(seen, pods=(*seen.pods, *late)), state)
        wanted.append(decision.wanted)
        assert decision.overdue_pods == overdue
    assert wanted[1] == wanted[2] == wanted[3] == wanted[0] + 1


def test_a_quiet_week_leaves_the_policy_its_wits() -> None:
    _, state = run([Load(3.0)] * 2, ticks=20)
    day = 86_400.0
    for tick in range(5_000):
        now = 300.0 + tick * (7 * day / 5_000)
        pods = tuple(
            Pod(f"pod-{index}", PodState.SERVING, now, sample(300.0, Load(3.0, running=0))) for index in (0, 1)
        )
        told = tuple(replace(pod, sample=replace(pod.sample, at_seconds=now)) for pod in pods if pod.sample)
        decision, state = decide(SETTINGS, Fleet(now, 2, told), state)
    assert decision.desired == 1
    assert decision.capacity_tokens_per_second > 100


def test_a_restarted_engine_costs_no_replica() -> None:
    loads = [Load(4.0, token_seconds=0.05)] * 4
    before, state = run(loads, ticks=30)
    now = 15.0 * 31
    seen = fleet(now, loads)
    fresh = replace(seen.pods[0], sample=sample(now, loads[0], since=now - 5))
    after, _ = decide(SETTINGS, replace(seen, pods=(fresh, *seen.pods[1:])), state)
    assert after.desired >= before.desired


def test_numbers_that_are_none_count_as_silence() -> None:
    _, state = run([Load(0.05)] * 3, ticks=40)
    seen = fleet(15.0 * 41, [Load(0.05)] * 3)
    broken = tuple(
        replace(pod, sample=replace(pod.sample, running=float("nan"))) for pod in seen.pods if pod.sample is not None
    )
    decision, _ = decide(SETTINGS, replace(seen, pods=broken), state)
    assert decision.blind
    assert decision.desired == 3


def test_a_frozen_page_is_no_idle_engine() -> None:
    """Seven take what they can, the eighth shows the same page for ever: nothing shrinks on its account."""
    state, frozen = State(), sample(15.0, Load(1.0, running=5))
    for tick in range(60):
        now = 15.0 * (tick + 1)
        seen = fleet(now, [Load(1.0, running=4)] * 8)
        still = replace(seen.pods[0], sample=replace(frozen, at_seconds=now))
        decision, state = decide(SETTINGS, replace(seen, pods=(still, *seen.pods[1:])), state)
    assert decision.desired == 8
    assert decision.limit is Limit.NO_DATA


def test_what_is_set_overrides_what_is_learned() -> None:
    target = replace(SETTINGS, tokens_per_second_per_replica=100.0)
    decision, _ = run([Load(2.0)], ticks=40, settings=target)
    assert decision.capacity_source is CapacitySource.TARGET
    assert decision.capacity_tokens_per_second == 100.0
    assert decision.wanted >= 4


def test_waiting_requests_scale_by_the_depth_that_is_set() -> None:
    target = replace(SETTINGS, queue_depth_per_replica=5.0)
    decision, _ = run([Load(0.5, waiting=10.0)] * 2, ticks=10, settings=target)
    assert decision.wanted >= 4


def test_a_need_within_the_tolerance_changes_nothing() -> None:
    """Demand over a set capacity asks for three; half as much again as there is may be tolerated, or not."""
    target = replace(SETTINGS, tokens_per_second_per_replica=320.0)
    rules = replace(target.behavior.scale_up, tolerance=0.5)
    tolerant = replace(target, behavior=replace(target.behavior, scale_up=rules))
    assert run([Load(2.0)] * 2, ticks=40, settings=target)[0].wanted == 3
    assert run([Load(2.0)] * 2, ticks=40, settings=tolerant)[0].wanted == 2


def test_late_answers_add_a_replica_though_the_model_says_enough() -> None:
    state, desired = State(), []
    for tick in range(12):
        seen = fleet(15.0 * (tick + 1), [Load(1.0, running=5, first_seconds=8.0)] * 2)
        decision, state = decide(SETTINGS, seen, state)
        desired.append(decision.desired)
    assert max(desired) == 3
    assert state.guard.trust < 1


def test_the_prefill_of_long_prompts_is_not_lateness() -> None:
    roomy, state, desired = replace(SETTINGS, max_replicas=99), State(), set()
    for tick in range(40):
        now = 15.0 * (tick + 1)
        pods = []
        for index in range(60):
            one = sample(now, Load(0.012, running=1, first_seconds=13.0))
            scale = 130.0  # prompts of 130,000 tokens: 10 s of prefill by this engine's step time
            lengths = replace(one.prompt_lengths, sum=one.prompt_lengths.sum * scale)
            top = lengths.count
            buckets = ((100_000.0, 0.0), (200_000.0, top), (float("inf"), top))
            one = replace(
                one,
                prompt_tokens=one.prompt_tokens * scale,
                prompt_lengths=replace(lengths, buckets=buckets),
            )
            pods.append(Pod(f"pod-{index}", PodState.SERVING, 1000, one))
        decision, state = decide(roomy, Fleet(now, 60, tuple(pods)), state)
        desired.add(decision.desired)
    assert max(desired) == 60
    assert state.guard.trust == 1


@pytest.mark.parametrize("ticks", [5, 60])
def test_the_reason_is_one_sentence_with_numbers(ticks: int) -> None:
    decision, _ = run([Load(3.0)] * 2, ticks=ticks)
    assert "tokens/s per replica" in decision.reason
    assert decision.reason.count(". ") == 0
