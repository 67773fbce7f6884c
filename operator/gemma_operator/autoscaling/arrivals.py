"""How fast requests come, and how fast they will come when a pod that is asked for now serves.

Counted at the engines' doors, those turned away included. Never from generated tokens: a full engine generates what
it can, whatever is asked of it.
"""

import math
from dataclasses import dataclass

FAST_SECONDS = 60.0
SLOW_SECONDS = 240.0
SIGNIFICANT = 2.0
"""A rise counts once it is that many standard deviations of a Poisson stream above the slow mean."""

NOISE = 1.0
"""Standard deviations of the rate that are added: what a busy minute brings more than the mean."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Two fading means of requests per second. ``seen_seconds`` is the time that they rest on."""

    fast: float = 0.0
    slow: float = 0.0
    seen_seconds: float = 0.0

    def expected(self, horizon_seconds: float) -> float:
        """Requests per second to be ready for in ``horizon_seconds``."""
        noise = math.sqrt(max(self.slow, 1e-9) / (2 * FAST_SECONDS))
        rise = self.fast - self.slow
        rate = max(self.fast, self.slow)
        if rise > SIGNIFICANT * noise:
            # A fading mean lags a ramp by its time constant: two of them tell the slope.
            slope = rise / (SLOW_SECONDS - FAST_SECONDS)
            rate = self.fast + min(slope * (FAST_SECONDS + horizon_seconds / 2), self.fast)
        return rate + NOISE * noise


def arrived(arrivals: Arrivals, rate: float, seconds: float) -> Arrivals:
    """After an interval with ``rate`` requests per second. Early on the means are plain means."""
    seen = arrivals.seen_seconds + seconds
    return Arrivals(
        _faded(arrivals.fast, rate, seconds, min(FAST_SECONDS, seen)),
        _faded(arrivals.slow, rate, seconds, min(SLOW_SECONDS, seen)),
        seen,
    )


def _faded(mean: float, value: float, seconds: float, constant: float) -> float:
    return mean + (value - mean) * min(1.0, seconds / constant)
