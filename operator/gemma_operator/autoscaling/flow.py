"""What went through one engine between two scrapes. Differences of counters, and the doubts about them.

A counter that fell, a number that is none, a page that did not come: the pod is then unknown for this tick, which
is not the same as idle.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

from gemma_operator.autoscaling.sample import Histogram, Sample

COUNTERS = (
    "prompt_tokens",
    "scheduled_prompt_tokens",
    "cached_prompt_tokens",
    "generation_tokens",
    "answered",
    "rejected",
    "preemptions",
)


@dataclass(frozen=True, slots=True)
class Flow:
    """Amounts of an interval of one engine; ``running`` and ``waiting`` are those at its end, ``kv_usage`` a mean."""

    seconds: float
    arrivals: float
    rejected: float
    running: float
    waiting: float
    kv_usage: float
    kv_moved: bool
    computed_prompt_tokens: float
    prompt_tokens: float
    first_tokens: float
    generation_tokens: float
    prompt_lengths: Histogram
    answer_lengths: Histogram
    time_to_first_token_seconds: Histogram
    inter_token_seconds: Histogram

    @property
    def generation_rate(self) -> float:
        """Answer tokens per second."""
        return self.generation_tokens / self.seconds


def whole(sample: Sample) -> bool:
    """Whether every number of the sample is one."""
    return all(math.isfinite(value) for value in _numbers(sample))


def _numbers(sample: Sample) -> Iterator[float]:
    for field in fields(sample):
        value = getattr(sample, field.name)
        if isinstance(value, Histogram):
            yield value.sum
            yield from (count for _, count in value.buckets)
        else:
            yield value


def flow(before: Sample, after: Sample) -> Flow | None:
    """What happened between two samples of one engine; ``None`` if it can't be known.

    Arrivals are what ended or was turned away, and what there is more of now (an aborted request ends as answered).
    """
    seconds = after.at_seconds - before.at_seconds
    if seconds <= 0 or not whole(before) or not whole(after):
        return None
    grown = {name: getattr(after, name) - getattr(before, name) for name in COUNTERS}
    histograms = {
        field.name: _grown(getattr(before, field.name), getattr(after, field.name))
        for field in fields(after)
        if isinstance(getattr(after, field.name), Histogram)
    }
    if min(grown.values()) < 0 or any(histogram is None for histogram in histograms.values()):
        return None
    known = {name: histogram for name, histogram in histograms.items() if histogram is not None}
    more = after.running + after.waiting - before.running - before.waiting
    return Flow(
        seconds=seconds,
        arrivals=max(0.0, grown["answered"] + grown["rejected"] + more),
        rejected=grown["rejected"],
        running=after.running,
        waiting=after.waiting,
        kv_usage=(before.kv_usage + after.kv_usage) / 2,
        kv_moved=before.kv_usage != after.kv_usage,
        computed_prompt_tokens=max(0.0, grown["prompt_tokens"] - grown["cached_prompt_tokens"]),
        prompt_tokens=grown["prompt_tokens"],
        first_tokens=known["time_to_first_token_seconds"].count,
        generation_tokens=grown["generation_tokens"],
        **known,
    )


def _grown(before: Histogram, after: Histogram) -> Histogram | None:
    """The observations between; ``None`` when a bucket fell. Buckets that are new began at nothing."""
    old = dict(before.buckets)
    buckets = tuple((bound, count - old.get(bound, 0.0)) for bound, count in after.buckets)
    if any(count < 0 for _, count in buckets) or len(after.buckets) < len(before.buckets):
        return None
    return Histogram(buckets, after.sum - before.sum)


def quantile(histogram: Histogram, share: float) -> float:
    """The value below which that share of the observations lies, linear within its bucket; 0 without any.

    In the bucket without an upper bound it is the last bound, as in Prometheus.
    """
    rank, lower, below = share * histogram.count, 0.0, 0.0
    for bound, count in histogram.buckets:
        if count >= rank and count > below:
            return lower if math.isinf(bound) else lower + (bound - lower) * (rank - below) / (count - below)
        lower, below = (lower if math.isinf(bound) else bound), count
    return lower
