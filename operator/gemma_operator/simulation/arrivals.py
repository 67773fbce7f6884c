"""Requests as a trace has them, and ways to make another load from one: more of it, faster, a part, one after another.

Columns are those of the Azure LLM inference traces: ``TIMESTAMP,ContextTokens,GeneratedTokens``.
"""

import csv
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: when it comes (seconds from the trace's start), its prompt and its answer in tokens."""

    at_seconds: float
    prompt_tokens: int
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class Trace:
    """Arrivals in order of time, over ``seconds``."""

    arrivals: tuple[Arrival, ...]
    seconds: float

    @property
    def longest_tokens(self) -> int:
        """The longest request, prompt plus answer."""
        return max((arrival.prompt_tokens + arrival.answer_tokens for arrival in self.arrivals), default=0)

    @property
    def requests_per_second(self) -> float:
        """Mean rate."""
        return len(self.arrivals) / self.seconds


def read_trace(lines: Iterable[str]) -> Trace:
    """A trace from the lines of a CSV file. TIMESTAMP is a date and time, or seconds.

    Raises ``ValueError`` that names the line, the column and the value.
    """
    rows = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise ValueError(f"column {missing[0]} is missing; a trace has the columns {', '.join(COLUMNS)}")
    arrivals = []
    for row in rows:
        try:
            at_seconds = _seconds(row["TIMESTAMP"])
            prompt, answer = (_tokens(row, name) for name in COLUMNS[1:])
        except (TypeError, ValueError) as error:
            raise ValueError(f"line {rows.line_num}: {error}") from None
        arrivals.append(Arrival(at_seconds, prompt, answer))
    if not arrivals:
        raise ValueError("no requests in the trace")
    arrivals.sort(key=lambda arrival: arrival.at_seconds)
    start = arrivals[0].at_seconds
    moved = tuple(replace(arrival, at_seconds=arrival.at_seconds - start) for arrival in arrivals)
    return Trace(moved, max(1.0, moved[-1].at_seconds))


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.strip()[:26])
    except ValueError:
        raise ValueError(f"TIMESTAMP: {text!r} is neither a date and time nor seconds") from None
    return (moment - datetime(2020, 1, 1, tzinfo=moment.tzinfo)).total_seconds()


def _tokens(row: dict[str, str], name: str) -> int:
    text = row[name]
    try:
        tokens = int(text)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {text!r} is not a number of tokens") from None
    if tokens < 0:
        raise ValueError(f"{name}: {tokens} is negative")
    return max(1, tokens)


def faster(trace: Trace, times: float) -> Trace:
    """The same requests in a shorter time."""
    moved = tuple(replace(arrival, at_seconds=arrival.at_seconds / times) for arrival in trace.arrivals)
    return Trace(moved, trace.seconds / times)


def superposed(trace: Trace, copies: int, apart_seconds: float = 7.3) -> Trace:
    """``copies`` of the trace at once, each a little later than the one before so that its bursts do not add up.

    What runs over the end comes in at the start: length and mean shape stay.
    """
    moved = [
        replace(arrival, at_seconds=(arrival.at_seconds + copy * apart_seconds) % trace.seconds)
        for copy in range(copies)
        for arrival in trace.arrivals
    ]
    return Trace(tuple(sorted(moved, key=lambda arrival: arrival.at_seconds)), trace.seconds)


def until(trace: Trace, seconds: float) -> Trace:
    """The beginning of a trace."""
    return Trace(tuple(arrival for arrival in trace.arrivals if arrival.at_seconds < seconds), seconds)


def poisson(lengths: Trace, requests_per_second: float, seconds: float, seed: int) -> Trace:
    """Independent arrivals at a rate, each with prompt and answer of a request drawn from ``lengths``; 0 is silence."""
    if requests_per_second == 0:
        return Trace((), seconds)
    chance = random.Random(seed)  # noqa: S311 (reproducible, not secret)
    arrivals, now = [], chance.expovariate(requests_per_second)
    while now < seconds:
        arrivals.append(replace(chance.choice(lengths.arrivals), at_seconds=now))
        now += chance.expovariate(requests_per_second)
    return Trace(tuple(arrivals), seconds)


def evenly(lengths: Sequence[tuple[int, int]], apart_seconds: float, seconds: float) -> Trace:
    """(prompt, answer) pairs in turn, one every ``apart_seconds``."""
    count = math.ceil(seconds / apart_seconds)
    turns = (lengths[index % len(lengths)] for index in range(count))
    return Trace(tuple(Arrival(i * apart_seconds, *pair) for i, pair in enumerate(turns)), seconds)


def one_after_another(*traces: Trace) -> Trace:
    """Each trace begins where the one before ends."""
    start, arrivals = 0.0, list[Arrival]()
    for trace in traces:
        arrivals += (replace(arrival, at_seconds=start + arrival.at_seconds) for arrival in trace.arrivals)
        start += trace.seconds
    return Trace(tuple(arrivals), start)
