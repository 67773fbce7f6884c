"""The two public traces that come with the tests."""

import gzip
from functools import cache
from pathlib import Path

from gemma_operator.simulation.arrivals import Trace, read_trace

TRACES = Path(__file__).parent / "data" / "traces"


@cache
def chat() -> Trace:
    """One hour of a chat service."""
    return _read("conversation.csv.gz")


@cache
def code() -> Trace:
    """One hour of code completion."""
    return _read("code.csv.gz")


def _read(name: str) -> Trace:
    with gzip.open(TRACES / name, "rt", encoding="utf-8") as lines:
        return read_trace(lines)
