"""Traces: what is read, what is refused, and what is made of them."""

import pytest

from gemma_operator.simulation.arrivals import evenly, faster, one_after_another, poisson, read_trace, superposed
from tests.traces import chat, code
from tests.unit.simulation.engines import trace

HEAD = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def test_the_public_hours_are_whole() -> None:
    assert (len(chat().arrivals), len(code().arrivals)) == (19_366, 8_819)
    assert 3400 < code().seconds < chat().seconds < 3600


def test_times_may_be_dates_or_seconds_and_begin_at_nought() -> None:
    dates = read_trace([HEAD, "2023-11-16 18:15:46.6805900,374,44\n", "2023-11-16 18:15:50.9951690,396,109\n"])
    numbers = read_trace([HEAD, "16.5,374,44\n", "12.0,396,109\n"])
    assert [round(one.at_seconds, 3) for one in dates.arrivals] == [0.0, 4.315]
    assert [(one.at_seconds, one.prompt_tokens) for one in numbers.arrivals] == [(0.0, 396), (4.5, 374)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time,prompt\n1,2\n", "column TIMESTAMP is missing"),
        (HEAD, "no requests"),
        (HEAD + "1,2,3\nnoon,2,3\n", "line 3: TIMESTAMP: 'noon'"),
        (HEAD + "1,many,3\n", "line 2: ContextTokens: 'many'"),
        (HEAD + "1,2\n", "line 2: GeneratedTokens: None"),
        (HEAD + "1,2,-3\n", "GeneratedTokens: -3 is negative"),
    ],
)
def test_a_bad_trace_is_refused_with_line_column_and_value(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_trace(text.splitlines(keepends=True))


def test_superposing_keeps_length_order_and_every_request() -> None:
    four = superposed(chat(), 4)
    assert len(four.arrivals) == 4 * len(chat().arrivals)
    assert four.seconds == chat().seconds
    times = [one.at_seconds for one in four.arrivals]
    assert times == sorted(times)
    assert times[-1] <= four.seconds


def test_faster_is_the_same_in_less_time() -> None:
    half = faster(chat(), 2.0)
    assert half.seconds == chat().seconds / 2
    assert half.requests_per_second == pytest.approx(2 * chat().requests_per_second)


def test_independent_arrivals_come_at_their_rate_and_by_their_seed() -> None:
    made = poisson(code(), 10.0, 1000.0, seed=1)
    assert made == poisson(code(), 10.0, 1000.0, seed=1)
    assert len(made.arrivals) == pytest.approx(10_000, rel=0.05)


def test_one_trace_begins_where_the_other_ends() -> None:
    joined = one_after_another(trace((1.0, 10, 1), seconds=5.0), trace((2.0, 20, 1), seconds=5.0))
    assert [one.at_seconds for one in joined.arrivals] == [1.0, 7.0]
    assert joined.seconds == 10.0


def test_even_arrivals_take_lengths_in_turn() -> None:
    made = evenly([(10, 1), (20, 2)], 10.0, 35.0)
    assert [(one.at_seconds, one.prompt_tokens) for one in made.arrivals] == [(0, 10), (10, 20), (20, 10), (30, 20)]
