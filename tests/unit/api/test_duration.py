"""Which durations may be written for a target, and what they mean."""

import pytest

from gemma_operator.api.v1alpha1.autoscaling import duration_seconds


@pytest.mark.parametrize(
    ("written", "seconds"), [("2s", 2.0), ("60ms", 0.06), ("999s", 999.0), ("1ms", 0.001), ("99999ms", 99.999)]
)
def test_seconds_and_milliseconds_are_understood(written: str, seconds: float) -> None:
    assert duration_seconds(written) == pytest.approx(seconds)


@pytest.mark.parametrize("written", ["2", "0s", "-2s", "2 s", "1.5s", "2S", "2m", "1000s", "٢s", "", "2s\n"])
def test_anything_else_is_refused_with_what_to_write(written: str) -> None:
    with pytest.raises(ValueError, match="write a duration such as 2s or 60ms"):
        duration_seconds(written)
