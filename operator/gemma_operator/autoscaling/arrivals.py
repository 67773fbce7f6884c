"""How fast requests come, and how fast they will come when a pod that is asked for now serves.

Counted at the engines' doors, those turned away included. Never from generated tokens: a full engine generates what
it can, whatever is asked of it. Three fading means look at different spans; a shorter one is believed against a longer
one only when it stands out of the noise, and how noisy this stream is, is learned too.
"""

import math
from dataclasses import dataclass

SUDDEN_SECONDS, FAST_SECONDS, SLOW_SECONDS = 15.0, 30.0, 240.0
BURST_SECONDS = 900.0

SUDDEN, SIGNIFICANT = 4.0, 1.0
"""Standard deviations by which the sudden and the fast mean must exceed the next longer one."""

WAVES = 4.0
"""Beside one standard deviation of a Poisson minute so many times more for a stream that comes in waves."""

MOST_BURST = 8.0

REQUESTS = 8.0
"""A mean over fewer than so many requests says little: where few come, the two longer spans grow."""

MOST_SECONDS = 900.0
LEAST_RATE = 0.05


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Fading means of requests per second. ``seen_seconds`` is the time that they rest on.

    ``burst`` is the variance of what comes over that of a Poisson stream: 1 for independent users.
    """

    sudden: float = 0.0
    fast: float = 0.0
    slow: float = 0.0
    burst: float = 1.0
    seen_seconds: float = 0.0

    def expected(self, horizon_seconds: float, dearer: float = 1.0) -> float:
        """Requests per second, as they are now, to be ready for in ``horizon_seconds``.

        ``dearer`` is what a request costs now over what it cost on the longer average: a rise of the load, too.
        """
        rate = self.fast
        rise = self.fast - self.slow / dearer
        fast_seconds, slow_seconds = self.spans()
        if rise > SIGNIFICANT * self._noise(self.slow, fast_seconds):
            # A fading mean lags a ramp by its time constant: two of them tell the slope.
            slope = rise / (slow_seconds - fast_seconds)
            rate = self.fast + min(slope * (fast_seconds + horizon_seconds), self.fast)
        if self.sudden - self.fast > SUDDEN * self._noise(self.fast, SUDDEN_SECONDS):
            rate = max(rate, self.sudden)
        return rate + (1 + WAVES * (self.burst - 1)) * math.sqrt(rate / (2 * fast_seconds))

    def spans(self) -> tuple[float, float]:
        """Time constants of the fast and the slow mean."""
        rate = max(self.fast, self.slow, 1e-6)
        grown = min(max(1.0, REQUESTS / rate / FAST_SECONDS), MOST_SECONDS / FAST_SECONDS)
        return FAST_SECONDS * grown, SLOW_SECONDS * grown

    def _noise(self, rate: float, constant: float) -> float:
        """Standard deviation of a fading mean of such a stream; never below that of one request in its span."""
        return math.sqrt(self.burst * max(rate, 1 / constant) / (2 * constant))


def arrived(arrivals: Arrivals, rate: float, seconds: float) -> Arrivals:
    """After an interval with ``rate`` requests per second. Early on the means are plain means."""
    seen = arrivals.seen_seconds + seconds
    burst = (rate - arrivals.fast) ** 2 * seconds / max(arrivals.fast, LEAST_RATE)
    share = min(1.0, seconds / BURST_SECONDS) if arrivals.seen_seconds >= FAST_SECONDS else 0.0
    fast_seconds, slow_seconds = arrivals.spans()
    return Arrivals(
        _faded(arrivals.sudden, rate, seconds, min(SUDDEN_SECONDS, seen)),
        _faded(arrivals.fast, rate, seconds, min(fast_seconds, seen)),
        _faded(arrivals.slow, rate, seconds, min(slow_seconds, seen)),
        min(MOST_BURST, max(1.0, arrivals.burst + share * (min(burst, MOST_BURST) - arrivals.burst))),
        seen,
    )


def _faded(mean: float, value: float, seconds: float, constant: float) -> float:
    return mean + (value - mean) * min(1.0, seconds / constant)
