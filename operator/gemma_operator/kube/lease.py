"""Leader election as a pure state machine on local monotonic time.

``election`` does the reading and writing; this module says who may act when. Remote clocks are never compared: what
counts is how long *we* have seen the record unchanged, and how long ago *we* began our last successful renewal.
A Lease only reduces overlap; UID and resourceVersion preconditions are what makes a late write harmless.
"""

from dataclasses import dataclass, replace

LEASE_DURATION_SECONDS = 15.0
RENEW_DEADLINE_SECONDS = 10.0
RETRY_PERIOD_SECONDS = 2.0
JITTER = 0.2
"""Times of client-go's leader election, and the share by which a retry period varies."""


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What the Lease says. ``stamp`` changes with every renewal; its value as a time is never used."""

    holder: str
    stamp: str
    duration_seconds: float
    transitions: int


@dataclass(frozen=True, slots=True)
class LeaseState:
    """One candidate's view. Times are local and monotonic, in seconds.

    ``unchanged_since``: when the record that we know was first seen. ``renewed_at``: when the request of our last
    successful renewal was *begun*; ``None`` while we follow.
    """

    identity: str
    record: LeaseRecord | None = None
    unchanged_since: float = 0.0
    renewed_at: float | None = None


def observed(state: LeaseState, record: LeaseRecord, now: float) -> LeaseState:
    """The state after a read. A record held by somebody else ends our own lead at once."""
    since = state.unchanged_since if record == state.record else now
    renewed_at = state.renewed_at if record.holder == state.identity else None
    return replace(state, record=record, unchanged_since=since, renewed_at=renewed_at)


def may_acquire(state: LeaseState, now: float) -> bool:
    """Whether the record that was read last may be replaced by ours.

    Yes if it was released, if it is ours (a restart under the same name), or if it stood unchanged for its whole
    duration while we watched.
    """
    record = state.record
    if record is None or not record.holder or record.holder == state.identity:
        return True
    return now >= state.unchanged_since + record.duration_seconds


def acquired(state: LeaseState, record: LeaseRecord, begun_at: float) -> LeaseState:
    """The state after a write that the server accepted; ``begun_at`` is when the request was begun."""
    return LeaseState(state.identity, record, begun_at, begun_at)


def holds(state: LeaseState, now: float) -> bool:
    """Whether we may act now: the last successful renewal began less than the renew deadline ago."""
    return state.renewed_at is not None and now < state.renewed_at + RENEW_DEADLINE_SECONDS


def next_record(state: LeaseState, stamp: str) -> LeaseRecord:
    """The record to write in order to acquire or to renew."""
    old = state.record
    changes_hands = old is None or old.holder != state.identity
    transitions = (old.transitions if old else 0) + (1 if changes_hands and old is not None else 0)
    return LeaseRecord(state.identity, stamp, LEASE_DURATION_SECONDS, transitions)


def released_record(state: LeaseState, stamp: str) -> LeaseRecord:
    """The record that gives the lease away, so that the next one need not wait."""
    return LeaseRecord("", stamp, 1.0, state.record.transitions if state.record else 0)


def retry_after_seconds(jitter: float) -> float:
    """Pause before the next attempt. ``jitter`` is a random share of 0 to 1, drawn by the caller."""
    return RETRY_PERIOD_SECONDS * (1 - JITTER + 2 * JITTER * jitter)
