"""How long failed keys wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.controller.backoff import (
    BUCKET_PER_SECOND,
    BUCKET_SIZE,
    JITTER,
    LIMIT_SECONDS,
    TokenBucket,
    backoff_seconds,
)


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.005), (2, 0.01), (3, 0.02), (11, 5.12), (18, 655.36)])
def test_the_wait_doubles_with_every_failure(failures: int, seconds: float) -> None:
    assert backoff_seconds(failures, 0.0) == pytest.approx(seconds)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_wait_has_an_end(failures: int, jitter: float) -> None:
    assert 0 < backoff_seconds(failures, jitter) <= LIMIT_SECONDS * (1 + JITTER)


def test_a_full_bucket_gives_its_tokens_at_once_and_then_ten_a_second() -> None:
    bucket, waits = TokenBucket(), []
    for _ in range(int(BUCKET_SIZE) + 20):
        bucket, wait = bucket.take(0.0)
        waits.append(wait)
    assert waits[: int(BUCKET_SIZE)] == [0.0] * int(BUCKET_SIZE)
    assert waits[-1] == pytest.approx(20 / BUCKET_PER_SECOND)


def test_an_empty_bucket_is_full_again_after_a_while_and_never_fuller() -> None:
    empty = TokenBucket(tokens=0.0, at=0.0)
    refilled, wait = empty.take(1e6)
    assert wait == 0
    assert refilled.tokens == BUCKET_SIZE - 1
