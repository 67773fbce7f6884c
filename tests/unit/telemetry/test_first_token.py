"""An objective is counted at a bound that vLLM's histogram really has."""

import re

import pytest

from gemma_operator.telemetry.first_token import FIRST_TOKEN_BUCKETS, first_token_bucket
from tests.unit.vllm.test_metrics import PAGE


def test_the_bounds_are_those_of_a_real_page() -> None:
    found = re.findall(r'^vllm:time_to_first_token_seconds_bucket\{.*?le="([^"]+)"', PAGE, re.MULTILINE)
    assert (*FIRST_TOKEN_BUCKETS, "+Inf") == tuple(found)


@pytest.mark.parametrize(("target", "bound"), [(2.0, "2.5"), (2.5, "2.5"), (0.06, "0.06"), (1, "1.0"), (9e9, "2560.0")])
def test_a_target_is_counted_at_the_next_bound(target: float, bound: str) -> None:
    assert first_token_bucket(target) == bound
