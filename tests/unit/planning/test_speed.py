"""The first estimate of an engine's speed."""

from gemma_operator.catalog.precision import Precision
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Plan
from gemma_operator.planning.speed import StepSpeed, step_speed
from tests.unit.planning.asks import CATALOG, K
from tests.unit.vllm.launches import planned


def on_h100(context_length: int) -> Plan:
    return planned(Ask(context_length, variant="31B", quantization=Precision.FP8), H100_SXM=1)


def speed(plan: Plan, accelerator: str) -> StepSpeed:
    kv_tokens = plan.context_length * plan.concurrent_requests
    return step_speed(plan.memory, kv_tokens, plan.quantization, accelerator, CATALOG.products)


def test_an_answer_that_fills_the_context_takes_longer_with_a_longer_context() -> None:
    short, long = on_h100(8 * K), on_h100(64 * K)
    assert 100 < short.longest_answer_seconds < long.longest_answer_seconds < 64 * K * 0.1


def test_a_slower_card_takes_longer_and_an_unknown_one_longest() -> None:
    plan = on_h100(64 * K)
    steps = [speed(plan, card).base_seconds for card in ("H200-SXM", "H100-SXM", "L40S", "never-heard-of")]
    assert steps == sorted(steps)
    assert len(set(steps)) == 4


def test_what_is_cached_is_read_in_each_step_of_each_answer() -> None:
    step = StepSpeed(0.01, 0.001, 1e-6, 1e-5)
    assert step.longest_answer_seconds(1000, 2) == 1000 * (0.01 + 2 * (0.001 + 0.001))
