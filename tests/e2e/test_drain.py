"""Real engines come and go under load, and no request is lost that need not be."""

from collections.abc import Iterator

import pytest

from e2e.drain import CHANGES, CLIENTS, NAME, begin, kill, run
from e2e.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def drained(stack: Stack) -> Iterator[Stack]:
    """Two engines behind one Service."""
    begin(stack)
    stack.wait_ready(NAME, 400)
    yield stack
    stack.kubectl("delete", "gemmadeployment", NAME, "--timeout=30s")


@pytest.mark.parametrize("kind", ["roll-out", "eviction", "scale-down", "another eviction", "another scale-down"])
def test_no_request_is_lost_in_a_change(drained: Stack, kind: str) -> None:
    """Streams included; the change takes seconds, in which the clients get answers."""
    kind = kind.removeprefix("another ")
    cycle = run(drained, kind, CHANGES[kind])
    assert cycle.lost == []
    assert cycle.answered >= 3 * CLIENTS


def test_a_pod_that_is_killed_costs_no_more_than_what_it_was_answering(drained: Stack) -> None:
    """One stream of each client may be cut, and one connection refused until the Service has noticed."""
    cycle = run(drained, "kill", kill)
    assert len(cycle.lost) <= 2 * CLIENTS, cycle.lost
    assert cycle.answered >= 3 * CLIENTS
