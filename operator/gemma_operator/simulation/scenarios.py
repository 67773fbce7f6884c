"""The loads that the scaling policy is measured on, from the two public traces. Called by the bench and by tests."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gemma_operator.autoscaling.settings import Settings, StepTime
from gemma_operator.simulation.arrivals import Trace, evenly, one_after_another, poisson, superposed
from gemma_operator.simulation.engine import Engine, StepCosts

# Fitted to kernel times of a dense 32B in FP8 on one H100, which stands in for Gemma 4 31B.
DENSE_31B_FP8_H100 = StepCosts(15.61, 0.0, 0.0316, 7.97e-5, 0.0583, 1.6e-6)

# Concurrent full-length requests × length, as the planner answers for 31B FP8 with BF16 KV on one 80 GB H100.
KV_TOKENS_32K = 80_700
KV_TOKENS_256K = 306_200


def conversation_times_four(conversation: Trace) -> Trace:
    """The chat hour, four times: 22 requests/s."""
    return superposed(conversation, 4)


def code_times_three(code: Trace) -> Trace:
    """The code completion hour, three times: bursts of long prompts with short answers."""
    return superposed(code, 3)


def mix_shift(conversation: Trace, code: Trace) -> Trace:
    """Half an hour of chat at 14 requests/s, of code at 16, of chat at 14: prompts double, answers shrink.

    Arrivals are independent, so that what changes is the mix and nothing else.
    """
    parts = ((conversation, 14.0), (code, 16.0), (conversation, 14.0))
    return one_after_another(*(poisson(lengths, rate, 1800.0, seed) for seed, (lengths, rate) in enumerate(parts)))


def step(conversation: Trace) -> Trace:
    """Chat at 5 requests/s, at once 22 for twenty minutes, and back."""
    rates = (5.0, 22.0, 5.0)
    return one_after_another(*(poisson(conversation, rate, 1200.0, seed) for seed, rate in enumerate(rates)))


def long_prompts() -> Trace:
    """Prompts of 32K to 255K tokens, one every two minutes: each finds an idle engine, if only one is there."""
    lengths = [(tokens * 1024, 300) for tokens in (32, 255, 64, 128, 192, 48)]
    return evenly(lengths, 120.0, 3600.0)


def night(conversation: Trace) -> Trace:
    """Chat that falls to nothing for 24 minutes and comes back stronger, in steps of eight minutes."""
    rates = (10.0, 6.0, 2.0, 0.0, 0.0, 0.0, 2.0, 6.0, 10.0, 14.0, 10.0)
    return one_after_another(*(poisson(conversation, rate, 480.0, seed) for seed, rate in enumerate(rates)))


def reasoning(conversation: Trace) -> Trace:
    """Chat prompts with answers fifteen times as long, at most 8,000 tokens: 2 requests/s."""
    long = tuple(replace(one, answer_tokens=min(8000, 15 * one.answer_tokens)) for one in conversation.arrivals)
    return poisson(Trace(long, conversation.seconds), 2.0, 3600.0, seed=1)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named load. ``load`` makes it from the hours of chat and of code; ``goal`` says what is asked of the policy."""

    name: str
    load: Callable[[Trace, Trace], Trace]
    goal: str
    kv_tokens: int = KV_TOKENS_32K
    bounded: bool = True


SCENARIOS = (
    Scenario(
        "conversation ×4",
        lambda chat, code: conversation_times_four(chat),
        "99.5 % at 1.30 × the bound",
    ),
    Scenario("mix shift", mix_shift, "99.5 % at 1.30 × the bound"),
    Scenario("4.4× step", lambda chat, code: step(chat), "95 %, p99 of the first token within 2 s"),
    Scenario("code ×3", lambda chat, code: code_times_three(code), "reported"),
    Scenario("steady", lambda chat, code: poisson(chat, 14.0, 3600.0, seed=1), "two turns at most", bounded=False),
    Scenario("night", lambda chat, code: night(chat), "reported", bounded=False),
    Scenario("reasoning", lambda chat, code: reasoning(chat), "reported", bounded=False),
    Scenario(
        "long prompts", lambda chat, code: long_prompts(), "one replica throughout", KV_TOKENS_256K, bounded=False
    ),
)


def engine_31b_h100(derate: float = 1.3, queue_limit: int | None = None, kv_tokens: int = KV_TOKENS_32K) -> Engine:
    """31B FP8 on one H100, as the planner sizes it."""
    costs = DENSE_31B_FP8_H100.derated(derate)
    return Engine(costs, kv_tokens=kv_tokens, max_num_seqs=256, max_num_batched_tokens=8192, queue_limit=queue_limit)


def settings_31b_h100(max_replicas: int = 24, estimate_derate: float = 1.0, kv_tokens: int = KV_TOKENS_32K) -> Settings:
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
        kv_tokens=kv_tokens,
        max_num_seqs=256,
        start_seconds=120.0,
    )
