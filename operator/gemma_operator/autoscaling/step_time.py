"""How long one step of this engine takes, learned from what it shows.

``time between tokens = base + per_sequence × running + per_kv_token × tokens in the cache + per_prompt_token × prompt
tokens prefilled in the step``: affine in all four (fits of kernel tables: 1 to 3 % for dense models). Observations are
kept in buckets of the number running, because a least-squares fit with forgetting blows up when the load stands still.
The prior, the plan's roofline times one learned factor, holds what the observations leave open.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gemma_operator.autoscaling.flow import Flow
from gemma_operator.autoscaling.settings import StepTime

Vector = tuple[float, float, float, float]

BUCKET_RATIO = 1.4
LEAST_TOKENS = 50.0
"""Fewer tokens in an interval say little about the time between them."""

MOST_WEIGHT = 20.0
"""Observations that a bucket remembers."""

PRIOR_WEIGHT = 2.0
"""The prior of each term counts as much as that many observations that stray by all of it."""

FIRST_FACTOR = 1.5
"""Engines are slower than their roofline; published figures of Gemma 4 31B lie 1.3 to 2 times above it."""

FACTOR_WEIGHT = 3.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """Fading means of the observations with about the same number running."""

    weight: float
    seen: Vector
    seconds: float


@dataclass(frozen=True, slots=True)
class Learned:
    """Buckets by number, and how many observations went in."""

    buckets: tuple[tuple[int, Bucket], ...] = ()
    observations: int = 0

    @property
    def enough(self) -> bool:
        """Whether the fit rests on the engine more than on the prior."""
        return self.observations >= 20


def observed(learned: Learned, flows: Sequence[Flow], kv_tokens: int) -> Learned:
    """With the observations of one tick."""
    buckets, count = dict(learned.buckets), learned.observations
    for one in flows:
        tokens = one.inter_token_seconds
        if tokens.count < LEAST_TOKENS or tokens.sum <= 0:
            continue
        seconds = tokens.sum / tokens.count
        running = max(1.0, one.generation_rate * seconds)
        prefilled = one.computed_prompt_tokens / one.seconds * seconds
        seen = (1.0, running, one.kv_usage * kv_tokens, prefilled)
        number = _number(running)
        buckets[number] = _joined(buckets.get(number), seen, seconds)
        count += 1
    return Learned(tuple(sorted(buckets.items())), count)


def fitted(learned: Learned, prior: StepTime) -> StepTime:
    """The step time that the observations and the prior agree on; no term is negative."""
    before = _vector(prior)
    factor = _factor(learned, before)
    centre = [factor * value for value in before]
    matrix = [[0.0] * 4 for _ in range(4)]
    right = [0.0] * 4
    for _, bucket in learned.buckets:
        # Scaled so that every unknown is "times the prior" and every residual a share of what was seen.
        row = [centre[i] * bucket.seen[i] / bucket.seconds for i in range(4)]
        for i in range(4):
            right[i] += bucket.weight * row[i]
            for j in range(4):
                matrix[i][j] += bucket.weight * row[i] * row[j]
    for i in range(4):
        matrix[i][i] += PRIOR_WEIGHT
        right[i] += PRIOR_WEIGHT
    times = [min(4.0, max(0.25, value)) for value in _solved(matrix, right)]
    return StepTime(*(centre[i] * times[i] for i in range(4)))


def _vector(step: StepTime) -> Vector:
    return (step.base_seconds, step.per_sequence_seconds, step.per_kv_token_seconds, step.per_prompt_token_seconds)


def _factor(learned: Learned, prior: Vector) -> float:
    """What the engine takes of what the prior says, over all that was seen."""
    weight, total = FACTOR_WEIGHT, FACTOR_WEIGHT * FIRST_FACTOR
    for _, bucket in learned.buckets:
        said = sum(one * other for one, other in zip(prior, bucket.seen, strict=True))
        weight += bucket.weight
        total += bucket.weight * bucket.seconds / said
    return total / weight


def _number(running: float) -> int:
    number, bound = 0, 1.0
    while running > bound:
        number, bound = number + 1, bound * BUCKET_RATIO
    return number


def _joined(bucket: Bucket | None, seen: Vector, seconds: float) -> Bucket:
    if bucket is None:
        return Bucket(1.0, seen, seconds)
    weight = min(MOST_WEIGHT, bucket.weight + 1.0)
    share = 1.0 / weight
    means = [old + share * (new - old) for old, new in zip(bucket.seen, seen, strict=True)]
    return replace(
        bucket,
        weight=weight,
        seen=(means[0], means[1], means[2], means[3]),
        seconds=bucket.seconds + share * (seconds - bucket.seconds),
    )


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination; the prior on the diagonal keeps the matrix positive definite."""
    size = len(right)
    rows = [[*matrix[i], right[i]] for i in range(size)]
    for i in range(size):
        for j in range(i + 1, size):
            share = rows[j][i] / rows[i][i]
            rows[j] = [below - share * above for below, above in zip(rows[j], rows[i], strict=True)]
    values = [0.0] * size
    for i in reversed(range(size)):
        values[i] = (rows[i][size] - sum(rows[i][j] * values[j] for j in range(i + 1, size))) / rows[i][i]
    return values
