"""One scraped page of one engine, reduced to what the autoscaler reads.

Made by ``page.read_sample`` from a real page and by the simulator from its replicas. Counters are cumulative since the
engine's start, as vLLM has them; differences are taken in ``flow``. Must never hold a rate: who scrapes at which
interval is not the sample's business.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Histogram:
    """A cumulative Prometheus histogram: ``(upper bound, observations at or below)`` in rising order, +Inf last."""

    buckets: tuple[tuple[float, float], ...] = ()
    sum: float = 0.0

    @property
    def count(self) -> float:
        """All observations."""
        return self.buckets[-1][1] if self.buckets else 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Gauges and counters of one engine at one moment.

    ``at_seconds`` is the monotonic time of the scrape, ``running`` and ``waiting`` are requests, ``kv_usage`` is 0
    to 1.
    ``prompt_tokens`` counts a prompt when its prefill ends, ``scheduled_prompt_tokens`` when its prefill begins,
    ``cached_prompt_tokens`` the part that cost no prefill. ``answered`` are requests that ended for their client
    (HTTP 2xx, aborts among them), ``rejected`` those that the queue limit turned away. Lengths are of ended requests.
    """

    at_seconds: float
    running: float
    waiting: float
    kv_usage: float
    prompt_tokens: float
    scheduled_prompt_tokens: float
    cached_prompt_tokens: float
    generation_tokens: float
    answered: float
    rejected: float
    preemptions: float
    prompt_lengths: Histogram
    answer_lengths: Histogram
    time_to_first_token_seconds: Histogram
    inter_token_seconds: Histogram
