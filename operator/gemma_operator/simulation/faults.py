"""What may go wrong in a simulated hour: lost scrapes, a frozen or reset page, NaN, a restarted controller, bad starts.

Times in seconds from the trace's start. Pods are named by their ordinal: 0 is the first of the fleet.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from gemma_operator.autoscaling.sample import Histogram, Sample

Span = tuple[float, float]
NEVER: Span = (math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults by parameter; none by default.

    ``metrics_gap`` is a span in which no scrape succeeds. ``frozen_pod`` answers from ``frozen`` on with its last page
    while it goes on serving. ``nan`` is a span in which every value is NaN. ``reset_at_seconds`` starts the counters of
    ``reset_pod`` anew. ``restart_at_seconds`` loses the policy's state. ``failing_starts`` is the share of starts that
    fail at their end and begin again. ``cluster_size`` is how many pods the cluster has room for; others stay unbound.
    """

    metrics_gap: Span = NEVER
    frozen: Span = NEVER
    frozen_pod: int = 0
    nan: Span = NEVER
    reset_at_seconds: float = math.inf
    reset_pod: int = 0
    restart_at_seconds: float = math.inf
    failing_starts: float = 0.0
    cluster_size: int | None = None


def within(span: Span, now: float) -> bool:
    """Whether ``now`` lies in the span."""
    return span[0] <= now < span[1]


def not_a_number(sample: Sample) -> Sample:
    """The page of an engine whose every value is NaN."""
    page: dict[str, Any] = {}
    for field in fields(sample):
        value = getattr(sample, field.name)
        if isinstance(value, Histogram):
            page[field.name] = Histogram(tuple((bound, math.nan) for bound, _ in value.buckets), math.nan)
        elif field.name != "at_seconds":
            page[field.name] = math.nan
    return replace(sample, **page)


def since(sample: Sample, base: Sample) -> Sample:
    """``sample`` with its counters begun anew at ``base``; gauges stay."""
    page: dict[str, Any] = {}
    for field in fields(sample):
        value, before = getattr(sample, field.name), getattr(base, field.name)
        if isinstance(value, Histogram):
            buckets = zip(value.buckets, before.buckets, strict=True)
            page[field.name] = Histogram(tuple((b, n - m) for (b, n), (_, m) in buckets), value.sum - before.sum)
        elif field.name not in {"at_seconds", "running", "waiting", "kv_usage"}:
            page[field.name] = value - before
    return replace(sample, **page)
