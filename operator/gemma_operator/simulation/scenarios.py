"""The loads that the scaling policy is measured on, from the two public traces. Called by the bench and by tests."""

from gemma_operator.autoscaling.settings import Settings, StepTime
from gemma_operator.simulation.arrivals import Trace, at_rate, one_after_another, superposed
from gemma_operator.simulation.engine import Engine, StepCosts

# Fitted to kernel times of a dense 32B in FP8 on one H100, which stands in for Gemma 4 31B.
DENSE_31B_FP8_H100 = StepCosts(15.61, 0.0, 0.0316, 7.97e-5, 0.0583, 1.6e-6)


def conversation_times_four(conversation: Trace) -> Trace:
    """The chat hour, four times: 22 requests/s."""
    return superposed(conversation, 4)


def code_times_three(code: Trace) -> Trace:
    """The code completion hour, three times: bursts of long prompts with short answers."""
    return superposed(code, 3)


def mix_shift(conversation: Trace, code: Trace) -> Trace:
    """Half an hour of chat at 14 requests/s, of code at 16, of chat at 14: prompts double, answers shrink."""
    chat = at_rate(conversation, 14.0, 1800.0, seed=1)
    return one_after_another(chat, at_rate(code, 16.0, 1800.0, seed=2), at_rate(conversation, 14.0, 1800.0, seed=3))


def step(conversation: Trace) -> Trace:
    """5 requests/s, at once 22 for twenty minutes, and back."""
    rates = ((5.0, 4), (22.0, 5), (5.0, 6))
    return one_after_another(*(at_rate(conversation, rate, 1200.0, seed) for rate, seed in rates))


def engine_31b_h100(derate: float = 1.3, queue_limit: int | None = None) -> Engine:
    """31B FP8 on one H100 at 32K context, as the planner sizes it."""
    costs = DENSE_31B_FP8_H100.derated(derate)
    return Engine(costs, kv_tokens=80_700, max_num_seqs=256, max_num_batched_tokens=8192, queue_limit=queue_limit)


def settings_31b_h100(max_replicas: int = 24, estimate_derate: float = 1.0) -> Settings:
    """The operator's defaults for that engine; its starting estimate is not the truth that the engine runs on."""
    costs = DENSE_31B_FP8_H100.derated(estimate_derate)
    estimate = StepTime(
        base_seconds=costs.base_ms / 1000,
        per_sequence_seconds=costs.per_sequence_ms / 1000,
        per_kv_token_seconds=costs.per_kv_token_ms / 1000,
        per_prompt_token_seconds=costs.per_prompt_token_ms / 1000,
    )
    return Settings(
        min_replicas=1,
        max_replicas=max_replicas,
        time_to_first_token_seconds=2.0,
        inter_token_seconds=0.060,
        step_time=estimate,
        kv_tokens=80_700,
        max_num_seqs=256,
        start_seconds=120.0,
    )
