"""How long a pod may take to end its requests."""

from dataclasses import replace

import pytest

from gemma_operator.catalog.precision import Precision
from gemma_operator.manifests.drain_time import drain_timeout_seconds
from gemma_operator.planning.ask import Ask
from tests.unit.planning.asks import K
from tests.unit.vllm.launches import planned


@pytest.mark.parametrize(("answer", "drain"), [(0, 60), (60, 60), (61, 120), (1201, 1260), (9000, 3600)])
def test_by_default_the_longest_answer_ends_within_bounds(answer: int, drain: int) -> None:
    plan = planned(Ask(64 * K, variant="31B", quantization=Precision.FP8), H100_SXM=1)
    assert drain_timeout_seconds(None, replace(plan, longest_answer_seconds=answer)) == drain


@pytest.mark.parametrize("given", [0, 7, 86400])
def test_what_the_spec_gives_counts(given: int) -> None:
    plan = planned(Ask(64 * K, variant="31B", quantization=Precision.FP8), H100_SXM=1)
    assert drain_timeout_seconds(given, plan) == given
