"""How long a failed key waits, and how many retries all keys together may make. Pure; the queue calls it.

Numbers are client-go's: 5 ms doubled up to 1000 s for each key, and a bucket of 100 that fills with 10 a second
for all keys. The bucket is for retries only: first attempts are bounded by the number of workers.
"""

from dataclasses import dataclass

BASE_SECONDS = 0.005
LIMIT_SECONDS = 1000.0
JITTER = 0.2
BUCKET_SIZE = 100.0
BUCKET_PER_SECOND = 10.0


def backoff_seconds(failures: int, jitter: float) -> float:
    """Wait after that many failures in a row (1 or more). ``jitter`` is a random share of 0 to 1.

    >>> backoff_seconds(1, 0.0), backoff_seconds(40, 0.0)
    (0.005, 1000.0)
    """
    doubled = BASE_SECONDS * 2.0 ** min(failures - 1, 64)
    return min(LIMIT_SECONDS, doubled) * (1 + JITTER * jitter)


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """Tokens left at a monotonic time. Below zero means that later takers wait longer."""

    tokens: float = BUCKET_SIZE
    at: float = 0.0

    def take(self, now: float) -> tuple["TokenBucket", float]:
        """The bucket with one token less, and the seconds to wait until that token is there."""
        filled = min(BUCKET_SIZE, self.tokens + (now - self.at) * BUCKET_PER_SECOND)
        left = filled - 1
        return TokenBucket(left, now), max(0.0, -left / BUCKET_PER_SECOND)
