"""The election as a state machine: time comes in as numbers, so every schedule can be played."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.kube.lease import (
    LEASE_DURATION_SECONDS,
    RENEW_DEADLINE_SECONDS,
    RETRY_PERIOD_SECONDS,
    LeaseRecord,
    LeaseState,
    acquired,
    holds,
    may_acquire,
    next_record,
    observed,
    released_record,
    retry_after_seconds,
)

OTHERS = LeaseRecord("other", "stamp-1", LEASE_DURATION_SECONDS, 3)


def leading(at: float = 100.0) -> LeaseState:
    state = LeaseState("me")
    return acquired(state, next_record(state, "stamp-0"), at)


def test_a_lease_that_nobody_has_may_be_acquired_at_once() -> None:
    assert may_acquire(LeaseState("me"), 0.0)
    assert may_acquire(observed(LeaseState("me"), replace(OTHERS, holder=""), 0.0), 0.0)


def test_a_lease_of_another_may_be_acquired_only_after_it_stood_unchanged_for_its_duration() -> None:
    state = observed(LeaseState("me"), OTHERS, 50.0)
    assert not may_acquire(state, 50.0 + LEASE_DURATION_SECONDS - 0.01)
    assert may_acquire(state, 50.0 + LEASE_DURATION_SECONDS)


def test_every_renewal_of_another_begins_the_wait_anew() -> None:
    state = observed(LeaseState("me"), OTHERS, 50.0)
    state = observed(state, replace(OTHERS, stamp="stamp-2"), 60.0)
    assert not may_acquire(state, 50.0 + LEASE_DURATION_SECONDS)
    assert may_acquire(state, 60.0 + LEASE_DURATION_SECONDS)


def test_seeing_the_same_record_again_does_not() -> None:
    state = observed(observed(LeaseState("me"), OTHERS, 50.0), OTHERS, 60.0)
    assert may_acquire(state, 50.0 + LEASE_DURATION_SECONDS)


def test_our_own_record_of_an_earlier_life_is_taken_up_but_is_no_licence_to_act() -> None:
    state = observed(LeaseState("me"), replace(OTHERS, holder="me"), 50.0)
    assert may_acquire(state, 50.0)
    assert not holds(state, 50.0)


def test_the_lead_lasts_from_the_beginning_of_the_request_to_the_renew_deadline() -> None:
    state = leading(100.0)
    assert holds(state, 100.0)
    assert holds(state, 100.0 + RENEW_DEADLINE_SECONDS - 0.01)
    assert not holds(state, 100.0 + RENEW_DEADLINE_SECONDS)


def test_seeing_another_holder_ends_the_lead_at_once() -> None:
    assert not holds(observed(leading(), OTHERS, 101.0), 101.0)


def test_transitions_count_changes_of_the_holder_only() -> None:
    assert next_record(LeaseState("me"), "now").transitions == 0
    assert next_record(observed(LeaseState("me"), OTHERS, 0.0), "now").transitions == OTHERS.transitions + 1
    state = leading()
    assert state.record is not None
    assert next_record(state, "later").transitions == state.record.transitions


def test_a_released_lease_is_free_for_the_next_at_once() -> None:
    record = released_record(leading(), "now")
    assert may_acquire(observed(LeaseState("next"), record, 0.0), 0.0)
    assert record.duration_seconds >= 1


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 1.6), (0.5, 2.0), (1.0, 2.4)])
def test_attempts_come_every_two_seconds_and_a_fifth(jitter: float, seconds: float) -> None:
    assert retry_after_seconds(jitter) == pytest.approx(seconds)
    assert RETRY_PERIOD_SECONDS * 1.2 < RENEW_DEADLINE_SECONDS < LEASE_DURATION_SECONDS


@given(
    request_seconds=st.floats(0, 5),
    clock_offset=st.floats(-1e6, 1e6),
    read_delays=st.lists(st.floats(0.5, 3.0), min_size=20, max_size=40),
)
def test_two_candidates_never_act_at_the_same_time(
    request_seconds: float, clock_offset: float, read_delays: list[float]
) -> None:
    """The leader is cut off after one renewal; the other has its own clock and reads as it likes."""
    begun = 1000.0
    leader = leading(begun)
    assert leader.record is not None
    now = begun + request_seconds
    follower = LeaseState("other")
    for delay in read_delays:
        now += delay
        follower = observed(follower, leader.record, now + clock_offset)
        if may_acquire(follower, now + clock_offset):
            assert not holds(leader, now)
            return
    assert now < begun + request_seconds + read_delays[0] + LEASE_DURATION_SECONDS + max(read_delays)
