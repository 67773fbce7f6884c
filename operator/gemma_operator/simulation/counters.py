"""The counters of one simulated engine, counted when vLLM counts them, and the page that a scrape would see.

Bucket bounds are vLLM's (0.32): a policy that reads percentiles from buckets must live with the same coarse ones.
"""

import math
from bisect import bisect_left
from itertools import accumulate

from gemma_operator.autoscaling.sample import Histogram, Sample

FIRST_TOKEN_SECONDS = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
    160.0, 640.0, 2560.0,
)  # fmt: skip
INTER_TOKEN_SECONDS = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
# vLLM's build_1_2_5_buckets, up to the longest Gemma 4 context.
LENGTHS = tuple(float(digit * 10**power) for power in range(6) for digit in (1, 2, 5) if digit * 10**power <= 262_144)


class Observations:
    """A histogram being filled."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count ``value``, ``times`` over."""
        self._counts[bisect_left(self._bounds, value)] += times
        self._sum += value * times

    def histogram(self) -> Histogram:
        """As Prometheus has it: cumulative."""
        return Histogram(tuple(zip((*self._bounds, math.inf), accumulate(self._counts), strict=True)), self._sum)


class Counters:
    """Everything cumulative that a sample holds."""

    __slots__ = (
        "answer_lengths", "answered", "first_token", "generation_tokens", "inter_token", "preemptions",
        "prompt_lengths", "prompt_tokens", "rejected", "scheduled_prompt_tokens",
    )  # fmt: skip

    def __init__(self) -> None:
        self.prompt_tokens = 0
        self.scheduled_prompt_tokens = 0
        self.generation_tokens = 0
        self.answered = 0
        self.rejected = 0
        self.preemptions = 0
        self.prompt_lengths = Observations(LENGTHS)
        self.answer_lengths = Observations(LENGTHS)
        self.first_token = Observations(FIRST_TOKEN_SECONDS)
        self.inter_token = Observations(INTER_TOKEN_SECONDS)

    def sample(self, at_seconds: float, running: int, waiting: int, kv_usage: float) -> Sample:
        """The page at one moment. Prefix caching is not simulated: no prompt token is cached."""
        return Sample(
            at_seconds=at_seconds,
            running=running,
            waiting=waiting,
            kv_usage=kv_usage,
            prompt_tokens=self.prompt_tokens,
            scheduled_prompt_tokens=self.scheduled_prompt_tokens,
            cached_prompt_tokens=0.0,
            generation_tokens=self.generation_tokens,
            answered=self.answered,
            rejected=self.rejected,
            preemptions=self.preemptions,
            prompt_lengths=self.prompt_lengths.histogram(),
            answer_lengths=self.answer_lengths.histogram(),
            time_to_first_token_seconds=self.first_token.histogram(),
            inter_token_seconds=self.inter_token.histogram(),
        )
