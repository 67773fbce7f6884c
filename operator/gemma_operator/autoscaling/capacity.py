"""What one replica carries within its latency targets, in requests per second.

With B sequences running on a mix of I computed prompt tokens and O answer tokens, one step takes
``a + (k + p·I/O)·B`` seconds, where a and p are the step time's base and prompt terms and k is what each sequence adds,
its cache included: by Little's law prefill adds ``p·I/O`` per sequence and step. A target is met by nearly all requests
only if it is met above the mean: on a replica that has more than its share, and by a short answer in whose time more
prompts than usual came. Prefill is also a queue of its own, with one server. The rate is found by bisection, since all
of this grows with it.
"""

import math

from gemma_operator.autoscaling.mix import Mix
from gemma_operator.autoscaling.settings import Settings, StepTime

LATE_SHARE = 0.005
"""Of the requests may miss a target."""

PACED_TOKENS = 32.0
"""The pace of a shorter answer can hardly be told."""

KV_SHARE, POOL_MARGIN = 0.85, 2.5
"""Of the pool, and standard deviations of the number that must find room: above it requests wait or are recomputed."""

LEAST_RATE = 1e-4

LEAST_PREFILL_SHARE, MOST_PREFILL_SHARE = 0.45, 0.8
"""Bounds of the engine's time that prefill may take."""


def capacity(settings: Settings, step: StepTime, mix: Mix, dispersion: float) -> float:
    """Requests per second that a replica carries when their number on it varies as ``dispersion`` × Poisson."""
    replica = _Replica(settings, step, mix, dispersion)
    service = step.per_prompt_token_seconds * mix.computed
    low, high = 0.0, 1.0 / (replica.added * mix.answer)
    if service > 0:
        share = prefill_share(settings.time_to_first_token_seconds, service, mix.unevenness)
        high = min(high, share / service)
    if not replica.carries(high):
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if replica.carries(middle) else (low, middle)
        high = low
    return max(high, LEAST_RATE)


class _Replica:
    """One engine under a rate of requests of one mix."""

    def __init__(self, settings: Settings, step: StepTime, mix: Mix, dispersion: float) -> None:
        context = mix.prompt + mix.answer / 2
        self._mix, self._step, self._dispersion = mix, step, dispersion
        self.added = (
            step.per_sequence_seconds
            + step.per_kv_token_seconds * context
            + step.per_prompt_token_seconds * mix.computed / mix.answer
        )
        # An engine that misses the target with a single sequence carries what one sequence makes.
        self._target = max(settings.inter_token_seconds, step.base_seconds + 2 * self.added)
        self._most = max(1.0, min(KV_SHARE * settings.kv_tokens / context, float(settings.max_num_seqs)))
        answers = sum(count for _, count in mix.answer_lengths)
        self._paced = [(tokens, count / answers) for tokens, count in mix.answer_lengths if tokens >= PACED_TOKENS]

    def step_seconds(self, rate: float) -> float:
        """``t = a + added·B`` with ``B = rate·O·t``; without end when the engine can't keep up."""
        idle = 1.0 - self.added * rate * self._mix.answer
        return self._step.base_seconds / idle if idle > 1e-9 else math.inf

    def running(self, rate: float) -> float:
        """Mean number of sequences under way."""
        return rate * self._mix.answer * self.step_seconds(rate)

    def carries(self, rate: float) -> bool:
        """Whether nearly all requests meet the target between tokens and find room in the pool."""
        seconds = self.step_seconds(rate)
        if seconds > self._target:
            return False
        mean = self.running(rate)
        spread = math.sqrt(self._dispersion * mean)
        if mean + POOL_MARGIN * spread > self._most:
            return False
        service = self._step.per_prompt_token_seconds * self._mix.computed
        prefill = service * math.sqrt(self._mix.unevenness * rate * seconds)
        late = 0.0
        for tokens, share in self._paced:
            deviation = math.hypot(self.added * spread, prefill / math.sqrt(tokens))
            late += share * 0.5 * math.erfc((self._target - seconds) / (math.sqrt(2) * deviation))
        return late <= LATE_SHARE


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
