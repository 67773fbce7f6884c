"""The kind of requests that come: lengths of prompts and answers, and how uneven they are.

Kept as sums that fade, so that a mean is as steady as the number of requests behind it allows. Two are kept, a slow
and a quick one: capacity is reckoned for the worse of both, so that longer prompts are seen within a minute and short
ones believed after four.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from gemma_operator.autoscaling.flow import Flow
from gemma_operator.autoscaling.sample import Histogram

SLOW_SECONDS, QUICK_SECONDS = 240.0, 60.0
"""Time in which old requests lose 63 % of their weight."""

ENOUGH_REQUESTS = 100.0
"""Fewer than these make no mean that could be held against a slower one: lengths spread as widely as they are long."""

LEAST_COUNT = 1e-3

PACED_TOKENS = 32.0
"""The pace of a shorter answer can hardly be told."""

PRIOR_REQUESTS = 5.0
PRIOR_PROMPT_TOKENS = 1000.0
PRIOR_ANSWER_TOKENS = 200.0
"""Means of public chat traces (Azure 2023: 1,155 and 211); they count as much as five requests."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Fading sums over requests. Prompts are seen at their first token, answers when they end.

    ``answer_lengths`` are tokens and how many answers were about that long. ``ended_tokens`` and ``ended_squares`` are
    both taken from the buckets: an exact sum beside rough squares would make prompts of one bucket look uneven, or not.
    """

    prompts: float = PRIOR_REQUESTS
    prompt_tokens: float = PRIOR_REQUESTS * PRIOR_PROMPT_TOKENS
    computed_tokens: float = PRIOR_REQUESTS * PRIOR_PROMPT_TOKENS
    answers: float = PRIOR_REQUESTS
    answer_tokens: float = PRIOR_REQUESTS * PRIOR_ANSWER_TOKENS
    ended: float = PRIOR_REQUESTS
    ended_tokens: float = PRIOR_REQUESTS * PRIOR_PROMPT_TOKENS
    ended_squares: float = PRIOR_REQUESTS * 2 * PRIOR_PROMPT_TOKENS**2
    answer_lengths: tuple[tuple[float, float], ...] = ((PRIOR_ANSWER_TOKENS / 3, 2.0), (PRIOR_ANSWER_TOKENS, 3.0))

    @property
    def enough(self) -> bool:
        """Whether the means rest on enough requests."""
        return self.prompts >= ENOUGH_REQUESTS

    @property
    def prompt(self) -> float:
        """Mean tokens of a prompt."""
        return self.prompt_tokens / self.prompts

    @property
    def computed(self) -> float:
        """Mean tokens of a prompt that prefill must compute: those the prefix cache does not have."""
        return self.computed_tokens / self.prompts

    @property
    def answer(self) -> float:
        """Mean tokens of an answer."""
        return max(1.0, self.answer_tokens / self.answers)

    @property
    def answer_unevenness(self) -> float:
        """``E[n²] / E[n]²`` of the answers' lengths."""
        count = sum(count for _, count in self.answer_lengths)
        tokens = sum(tokens * count for tokens, count in self.answer_lengths)
        return max(1.0, sum(tokens**2 * count for tokens, count in self.answer_lengths) * count / tokens**2)

    @property
    def unevenness(self) -> float:
        """``E[n²] / E[n]²`` of the prompts' lengths: 1 if all are equal."""
        return max(1.0, self.ended_squares * self.ended / self.ended_tokens**2)


def mixed(mix: Mix, flows: tuple[Flow, ...], seconds: float, fade_seconds: float) -> Mix:
    """The mix after an interval of that length."""
    keep = 1.0 / (1.0 + seconds / fade_seconds)
    prompts, answers, ended = (_kept(count, keep) for count in (mix.prompts, mix.answers, mix.ended))
    lengths = {tokens: count * answers for tokens, count in mix.answer_lengths}
    for one in flows:
        for tokens, count in _about(one.answer_lengths, PACED_TOKENS):
            lengths[tokens] = lengths.get(tokens, 0.0) + count
    ended_now = [about for one in flows for about in _about(one.prompt_lengths)]
    return Mix(
        prompts=mix.prompts * prompts + sum(one.first_tokens for one in flows),
        prompt_tokens=mix.prompt_tokens * prompts + sum(one.prompt_tokens for one in flows),
        computed_tokens=mix.computed_tokens * prompts + sum(one.computed_prompt_tokens for one in flows),
        answers=mix.answers * answers + sum(one.answer_lengths.count for one in flows),
        answer_tokens=mix.answer_tokens * answers + sum(one.answer_lengths.sum for one in flows),
        ended=mix.ended * ended + sum(one.prompt_lengths.count for one in flows),
        ended_tokens=mix.ended_tokens * ended + sum(tokens * count for tokens, count in ended_now),
        ended_squares=mix.ended_squares * ended + sum(tokens**2 * count for tokens, count in ended_now),
        answer_lengths=tuple(sorted((tokens, count) for tokens, count in lengths.items() if count > LEAST_COUNT)),
    )


def _kept(count: float, keep: float) -> float:
    """The share that stays. The last request is not forgotten: after a quiet week there is still a mean."""
    return keep if count > 1 else 1.0


def _about(lengths: Histogram, cut: float = 0.0) -> Iterator[tuple[float, float]]:
    """Each bucket's observations, all taken at the geometric mean of its bounds; two buckets where ``cut`` parts it."""
    lower, below = 1.0, 0.0
    for bound, count in lengths.buckets:
        upper = bound if not math.isinf(bound) else lower * 2
        if count > below:
            observed = count - below
            if lower < cut < upper:
                shorter = observed * (cut - lower) / (upper - lower)
                yield math.sqrt(lower * cut), shorter
                lower, observed = cut, observed - shorter
            yield math.sqrt(lower * upper), observed
        lower, below = upper, count
