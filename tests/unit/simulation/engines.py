"""A small engine with round numbers, and traces that fit it."""

from gemma_operator.autoscaling.settings import Settings, StepTime
from gemma_operator.simulation.arrivals import Arrival, Trace
from gemma_operator.simulation.engine import Engine, StepCosts

COSTS = StepCosts(
    base_ms=10.0,
    moe_ms=0.0,
    per_sequence_ms=0.1,
    per_kv_token_ms=0.0001,
    per_prompt_token_ms=0.05,
    per_prompt_token_context_ms=0.0,
)
ENGINE = Engine(COSTS, kv_tokens=100_000, max_num_seqs=64, max_num_batched_tokens=2048)
SETTINGS = Settings(
    min_replicas=1,
    max_replicas=12,
    time_to_first_token_seconds=2.0,
    inter_token_seconds=0.060,
    step_time=StepTime(0.010, 0.0001, 0.0000001, 0.00005),
    kv_tokens=100_000,
    max_num_seqs=64,
    start_seconds=120.0,
)


def trace(*arrivals: tuple[float, int, int], seconds: float = 600.0) -> Trace:
    """From (seconds, prompt, answer)."""
    return Trace(tuple(Arrival(*arrival) for arrival in arrivals), seconds)


def steady(per_second: float, seconds: float, prompt: int = 1000, answer: int = 200) -> Trace:
    """Evenly spaced equal requests."""
    count = int(per_second * seconds)
    return trace(*((index / per_second, prompt, answer) for index in range(count)), seconds=seconds)
