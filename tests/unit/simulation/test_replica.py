"""One engine: its times against arithmetic done by hand, and what its counters say when."""

from dataclasses import fields, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_operator.autoscaling.sample import Histogram, Sample
from gemma_operator.simulation.engine import Engine
from gemma_operator.simulation.replica import Replica
from gemma_operator.simulation.request import Outcome, Request
from tests.unit.simulation.engines import ENGINE


def served(engine: Engine, *requests: Request, until: float = 10_000.0) -> Replica:
    replica = Replica(engine)
    for request in requests:
        replica.submit(request, request.arrived)
    replica.advance(until)
    return replica


def test_a_lone_request_waits_for_its_own_prefill_only() -> None:
    request = Request(5.0, 1000, 100)
    served(ENGINE, request)
    assert request.first_token - 5.0 == pytest.approx(0.010 + 1000 * 0.00005)


def test_a_lone_answer_takes_its_steps() -> None:
    request = Request(0.0, 1000, 101)
    served(ENGINE, request)
    cache = sum(range(1000, 1100)) * 0.0000001
    assert request.ended - request.first_token == pytest.approx(100 * 0.0101 + cache, rel=1e-6)


def test_a_prompt_longer_than_the_batch_comes_in_chunks() -> None:
    request = Request(0.0, 5000, 1)
    served(ENGINE, request)
    assert request.ended == pytest.approx(3 * 0.010 + 5000 * 0.00005)


def test_a_prefill_slows_the_answers_that_run() -> None:
    alone, disturbed = Request(0.0, 100, 200), Request(0.0, 100, 200)
    served(ENGINE, alone)
    served(ENGINE, disturbed, Request(1.0, 2000, 1))
    assert disturbed.ended - alone.ended == pytest.approx(2000 * 0.00005, abs=0.002)


def test_a_request_that_comes_in_the_middle_of_a_macro_step_starts_at_the_next_step() -> None:
    late = Request(1.0, 10, 2)
    served(ENGINE, Request(0.0, 100, 1000), late)
    assert late.first_token - 1.0 < 2 * 0.0105 + 10 * 0.00005


def test_no_more_run_than_the_engine_has_seats_for() -> None:
    replica = Replica(replace(ENGINE, max_num_seqs=4))
    for _ in range(10):
        replica.submit(Request(0.0, 100, 500), 0.0)
    sample = replica.sample(1.0)
    assert (sample.running, sample.waiting) == (4, 6)


def test_no_more_is_admitted_than_the_cache_holds() -> None:
    replica = Replica(replace(ENGINE, kv_tokens=10_000))
    for _ in range(5):
        replica.submit(Request(0.0, 3000, 500), 0.0)
    assert replica.sample(1.0).running == 3


def test_a_cache_that_runs_full_preempts_and_everybody_is_answered_in_the_end() -> None:
    requests = [Request(0.0, 1000, 2000) for _ in range(8)]
    replica = served(replace(ENGINE, kv_tokens=10_000), *requests)
    sample = replica.sample(10_000.0)
    assert sample.preemptions > 0
    assert {request.outcome for request in requests} == {Outcome.ANSWERED}
    assert sample.generation_tokens == 8 * 2000
    assert sample.kv_usage == 0


def test_beyond_the_queue_limit_requests_are_shed_at_once() -> None:
    requests = [Request(0.0, 100, 500) for _ in range(6)]
    replica = served(replace(ENGINE, queue_limit=4), *requests, until=0.5)
    assert [request.outcome for request in requests[4:]] == [Outcome.SHED, Outcome.SHED]
    assert replica.sample(0.5).rejected == 2


def test_a_prompt_is_scheduled_when_its_prefill_begins_and_counted_when_it_ends() -> None:
    replica = Replica(ENGINE)
    replica.submit(Request(0.0, 20_000, 10), 0.0)
    during, after = replica.sample(0.5), replica.sample(2.0)
    assert (during.scheduled_prompt_tokens, during.prompt_tokens) == (20_000, 0)
    assert (after.scheduled_prompt_tokens, after.prompt_tokens) == (20_000, 20_000)
    assert during.time_to_first_token_seconds.count == 0
    assert after.time_to_first_token_seconds.count == 1


def test_tokens_are_counted_as_they_come_and_lengths_when_a_request_ends() -> None:
    replica = Replica(ENGINE)
    replica.submit(Request(0.0, 100, 1000), 0.0)
    half, end = replica.sample(5.0), replica.sample(60.0)
    assert 450 < half.generation_tokens < 510
    assert (half.answer_lengths.count, half.answered) == (0, 0)
    assert (end.generation_tokens, end.answer_lengths.count, end.answered) == (1000, 1, 1)
    assert end.inter_token_seconds.count == 999


def test_sampling_changes_nothing() -> None:
    watched, unwatched = Request(0.0, 100, 1000), Request(0.0, 100, 1000)
    replica = Replica(ENGINE)
    replica.submit(watched, 0.0)
    for tick in range(1, 200):
        replica.sample(tick / 10)
    served(ENGINE, unwatched)
    assert watched.ended == pytest.approx(unwatched.ended)


def test_counters_never_fall() -> None:
    replica = Replica(replace(ENGINE, kv_tokens=10_000, queue_limit=12))
    samples = []
    for index in range(300):
        now = index / 10
        replica.submit(Request(now, 500 + 37 * index % 2000, 1 + 13 * index % 400), now)
        samples.append(numbers(replica.sample(now)))
    for before, after in pairwise(samples):
        assert all(new >= old for old, new in zip(before, after, strict=True))


def numbers(sample: Sample) -> list[float]:
    """All that is cumulative."""
    found: list[float] = []
    for field in fields(sample):
        value = getattr(sample, field.name)
        if isinstance(value, Histogram):
            found += [value.sum, *(count for _, count in value.buckets)]
        elif field.name not in {"at_seconds", "running", "waiting", "kv_usage"}:
            found.append(value)
    return found


@given(
    requests=st.lists(st.tuples(st.floats(0, 20), st.integers(1, 6000), st.integers(1, 900)), min_size=1, max_size=60),
    seats=st.integers(1, 20),
    limit=st.none() | st.integers(1, 30),
)
@settings(max_examples=60, deadline=None)
def test_whatever_comes_the_engine_keeps_its_limits_and_ends_empty(
    requests: list[tuple[float, int, int]], seats: int, limit: int | None
) -> None:
    engine = replace(ENGINE, kv_tokens=8000, max_num_seqs=seats, queue_limit=limit)
    replica, sent = Replica(engine), [Request(*one) for one in sorted(requests)]
    for request in sent:
        replica.submit(request, request.arrived)
        sample = replica.sample(request.arrived)
        assert sample.running <= seats
        assert 0 <= sample.kv_usage <= 1
        assert limit is None or sample.running + sample.waiting <= limit
    final = replica.sample(1e6)
    answered = [request for request in sent if request.outcome is Outcome.ANSWERED]
    assert len(answered) + final.rejected == len(sent)
    assert (final.running, final.waiting, final.kv_usage) == (0, 0, 0)
    assert final.generation_tokens == sum(request.answer_tokens for request in answered)
    assert final.prompt_tokens == sum(request.prompt_tokens for request in answered)
    assert final.time_to_first_token_seconds.count == final.answered == len(answered)
    assert all(request.arrived < request.first_token <= request.ended for request in answered)


def test_during_a_long_prefill_only_the_use_of_the_cache_moves() -> None:
    replica = Replica(ENGINE)
    replica.submit(Request(0.0, 60_000, 10), 0.0)
    early, late = replica.sample(1.0), replica.sample(2.0)
    assert 0 < early.kv_usage < late.kv_usage < 0.6
    assert numbers(early) == numbers(late)
