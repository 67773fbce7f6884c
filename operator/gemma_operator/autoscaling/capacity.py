"""What one replica carries within its latency targets, in requests per second.

With B sequences running on a mix of I computed prompt tokens and O answer tokens, one step takes
``a + (k + p·I/O)·B`` seconds, where a and p are the step time's base and prompt terms and k is what each sequence adds,
its cache included: by Little's law prefill adds ``p·I/O`` per sequence and step. A target is met by nearly all requests
only if it is met above the mean: on a replica that has more than its share, and by a short answer in whose time more
prompts than usual came. How many meet it costs replicas, and the last ones cost most: a replica is worth its price as
long as it saves enough requests. Prefill is also a queue of its own, with one server. The rate is found by bisection,
since all of this grows with it.
"""

import math

from gemma_operator.autoscaling.mix import PACED_TOKENS, Mix
from gemma_operator.autoscaling.settings import Settings, StepTime

LATE_SHARE = 0.025
"""Of the requests may miss a target, whatever it would cost to save them."""

PRICE = 0.15
"""A fleet that is one per cent smaller may cost 0.15 per cent of the requests. Where the late share rises steeply with
the load (long answers), that stops far below ``LATE_SHARE``; where it rises slowly, saving the last ones is dear."""

STEP = 1.02
"""Of the rate by which the price is probed."""

INTERRUPTED_SHARE = 0.25
"""Of an engine's time, which prefill may take although answers are late for it: where few but very long prompts come,
each holds up all answers beside it, and no number of replicas would be enough to keep them apart."""

KV_SHARE, POOL_MARGIN = 0.85, 2.5
"""Of the pool, and standard deviations of the number that must find room: above it requests wait or are recomputed."""

LEAST_RATE = 1e-4
LEAST_SKEWNESS = 1e-6

LEAST_PREFILL_SHARE, MOST_PREFILL_SHARE = 0.45, 0.8
"""Bounds of the engine's time that prefill may take."""


def capacity(settings: Settings, step: StepTime, mix: Mix, dispersion: float) -> float:
    """Requests per second that a replica carries when their number on it varies as ``dispersion`` × Poisson."""
    replica = _Replica(settings, step, mix, dispersion)
    low, high = 0.0, 1.0 / (replica.added * mix.answer)
    if replica.service > 0:
        share = prefill_share(settings.time_to_first_token_seconds, replica.service, mix.unevenness)
        high = min(high, share / replica.service)
    if not replica.carries(high):
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if replica.carries(middle) else (low, middle)
        high = low
    return max(high, LEAST_RATE)


class _Replica:
    """One engine under a rate of requests of one mix.

    ``service`` is the prefill of one prompt, ``added`` what a sequence adds to a step, its share of prefill included.
    """

    def __init__(self, settings: Settings, step: StepTime, mix: Mix, dispersion: float) -> None:
        # What runs at a moment are the long answers more than the short ones, each on average half done.
        context = mix.prompt + mix.answer * mix.answer_unevenness / 2
        self._mix, self._dispersion = mix, dispersion
        self._base = step.base_seconds
        self._sequence = step.per_sequence_seconds + step.per_kv_token_seconds * context
        self.service = step.per_prompt_token_seconds * mix.computed
        self.added = self._sequence + self.service / mix.answer
        # An engine that misses the target with a single sequence carries what one sequence makes.
        self._target = max(settings.inter_token_seconds, step.base_seconds + 2 * self.added)
        self._most = max(1.0, min(KV_SHARE * settings.kv_tokens / context, float(settings.max_num_seqs)))
        answers = sum(count for _, count in mix.answer_lengths)
        self._paced = [(tokens, count / answers) for tokens, count in mix.answer_lengths if tokens >= PACED_TOKENS]

    def step_seconds(self, rate: float) -> float:
        """``t = a + added·B`` with ``B = rate·O·t``; without end when the engine can't keep up."""
        idle = 1.0 - self.added * rate * self._mix.answer
        return self._base / idle if idle > 1e-9 else math.inf

    def running(self, rate: float) -> float:
        """Mean number of sequences under way."""
        return rate * self._mix.answer * self.step_seconds(rate)

    def carries(self, rate: float) -> bool:
        """Whether the mean request meets the target, nearly all find room in the pool, and few enough are late."""
        if self.step_seconds(rate) > self._target:
            return False
        mean = self.running(rate)
        if mean + POOL_MARGIN * math.sqrt(self._dispersion * mean) > self._most:
            return False
        late = self.late_share(rate)
        return late <= LATE_SHARE and self.late_share(rate * STEP) - late <= PRICE * (STEP - 1)

    def late_share(self, rate: float) -> float:
        """Of all requests those whose answer is slower than the target."""
        if self.step_seconds(rate) > self._target:
            return 1.0
        waves = rate * self.service > INTERRUPTED_SHARE
        return sum(share * self._late(tokens - 1, rate, waves) for tokens, share in self._paced)

    def _late(self, intervals: float, rate: float, waves: bool) -> float:
        """Chance that an answer of so many intervals is late: more prefill comes than the target leaves time for.

        Prompts that come in the answer's time, and in that of its own prefill, are a compound Poisson sum: few, uneven
        ones, so that its tail is longer than a normal one. Without ``waves`` prefill counts by its mean. What else runs
        changes slowly, hence all the time.
        """
        uneven, mean = self._mix.unevenness, self.running(rate)
        prompts = rate * (intervals * self._target + self.service)
        left = intervals * (self._target - self._base - self._sequence * mean) - prompts * self.service
        crowd = intervals * self._sequence * math.sqrt(self._dispersion * mean)
        if not waves:
            return upper_tail(left / crowd, 0.0)
        # A router that knows the load spreads the prompts, too, though not their lengths.
        uneven_sum = prompts * (uneven - 1 + min(1.0, self._dispersion))
        deviation = math.hypot(self.service * math.sqrt(uneven_sum), crowd)
        third = prompts * self.service**3 * uneven * (2 * uneven - 1)
        return upper_tail(left / deviation, third / deviation**3)


def upper_tail(deviations: float, skewness: float) -> float:
    """Chance to lie more than so many standard deviations above the mean, of a sum with that skewness.

    Pearson's type III by the cube root of Wilson and Hilferty; with no skewness it is the normal distribution.
    """
    if skewness > LEAST_SKEWNESS:
        root = 1 + skewness * deviations / 2
        if root <= 0:
            return 1.0
        deviations = 6 / skewness * (root ** (1 / 3) - 1) + skewness / 6
    return 0.5 * math.erfc(deviations / math.sqrt(2))


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
