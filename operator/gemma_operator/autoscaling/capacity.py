"""What one replica carries within its latency targets, in requests per second. Closed form.

With B sequences running on a mix of I computed prompt tokens and O answer tokens, one step takes
``a + (k + p·I/O)·B`` seconds, where a and p are the step time's base and prompt terms and k is what each sequence adds,
its cache included: by Little's law prefill adds ``p·I/O`` per sequence and step. So the largest B follows from the
target between tokens, and the rate from B. Prefill is also a queue of its own, with one server.
"""

import math
from dataclasses import dataclass

from gemma_operator.autoscaling.mix import Mix
from gemma_operator.autoscaling.settings import Settings, StepTime

SPREAD = 1.6
"""Standard deviations of the number running on a replica that must still meet the target."""

KV_SHARE = 0.85
"""Of the pool: above it requests wait for one that ends, or are computed twice."""

LATE_SHARE = 0.005
"""Of the requests may wait in the prefill queue for longer than the target."""

LEAST_PREFILL_SHARE, MOST_PREFILL_SHARE = 0.45, 0.8
"""Bounds of the engine's time that prefill may take."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """``requests_per_second`` of one replica; ``running`` sequences are then under way, ``step_seconds`` apart."""

    requests_per_second: float
    running: float
    step_seconds: float


def capacity(settings: Settings, step: StepTime, mix: Mix, dispersion: float) -> Capacity:
    """What a replica carries when the number of requests on it varies as ``dispersion`` × Poisson."""
    context = mix.prompt + mix.answer / 2
    added = (
        step.per_sequence_seconds
        + step.per_kv_token_seconds * context
        + step.per_prompt_token_seconds * mix.computed / mix.answer
    )
    target = max(settings.inter_token_seconds, 1.05 * step.base_seconds)
    most = (target - step.base_seconds) / added
    most = min(most, KV_SHARE * settings.kv_tokens / context, float(settings.max_num_seqs))
    running = max(0.5, below_with_spread(most, dispersion))
    seconds = step.base_seconds + added * running
    rate = running / seconds / mix.answer
    service = step.per_prompt_token_seconds * mix.computed
    if service > 0:
        rate = min(rate, prefill_share(settings.time_to_first_token_seconds, service, mix.unevenness) / service)
    return Capacity(rate, running, seconds)


def below_with_spread(most: float, dispersion: float) -> float:
    """The mean of a number that stays below ``most`` though it varies: ``mean + z·sqrt(dispersion·mean) = most``."""
    half = SPREAD * math.sqrt(dispersion) / 2
    return (math.sqrt(half * half + most) - half) ** 2


def prefill_share(target_seconds: float, service_seconds: float, unevenness: float) -> float:
    """The share of time that prefill may take so that few wait longer than the target.

    Tail of an M/G/1 queue (Kingman's exponential approximation): ``P(wait > t) = u·exp(-2(1-u)·t / (s·E[s²]/E[s]²))``.
    A prompt's own prefill is not counted against it: a long prompt may take its time.
    """
    speed = 2 * (target_seconds + service_seconds) / (service_seconds * unevenness)
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        late = middle * math.exp(-speed * (1 - middle))
        low, high = (middle, high) if late < LATE_SHARE else (low, middle)
    return min(MOST_PREFILL_SHARE, max(LEAST_PREFILL_SHARE, low))
