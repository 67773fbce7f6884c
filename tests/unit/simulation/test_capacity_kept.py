"""What the model of capacity promises, the simulated engine must keep: per mix of requests, without any margin."""

import pytest

from gemma_operator.autoscaling.capacity import LATE_SHARE, capacity
from gemma_operator.autoscaling.flow import Flow
from gemma_operator.autoscaling.mix import Mix, mixed
from gemma_operator.autoscaling.sample import Histogram
from gemma_operator.autoscaling.settings import StepTime
from gemma_operator.simulation.arrivals import Trace, poisson
from gemma_operator.simulation.counters import LENGTHS, Observations
from gemma_operator.simulation.report import Objectives
from gemma_operator.simulation.router import Routing
from gemma_operator.simulation.scenarios import DENSE_31B_FP8_H100, engine_31b_h100, settings_31b_h100
from gemma_operator.simulation.schedule import World, misses
from tests.traces import chat, code

REPLICAS, SECONDS = 4, 900.0


def part(load: Trace, first: float, last: float) -> Trace:
    """The requests of some minutes."""
    return Trace(tuple(one for one in load.arrivals if 60 * first <= one.at_seconds < 60 * last), 60 * (last - first))


def seen(load: Trace) -> Mix:
    """The mix of a load as the autoscaler learns it, from buckets."""
    prompts, answers = Observations(LENGTHS), Observations(LENGTHS)
    for one in load.arrivals:
        prompts.observe(one.prompt_tokens)
        answers.observe(one.answer_tokens)
    count, tokens = float(len(load.arrivals)), float(sum(one.prompt_tokens for one in load.arrivals))
    told = Flow(
        1, count, 0, 0, 0, 0, True, tokens, tokens, count, 0, prompts.histogram(), answers.histogram(),
        Histogram(), Histogram(),
    )  # fmt: skip
    return mixed(Mix(), (told,), 1, 1e9)


def late_at(load: Trace, per_replica: float, derate: float) -> float:
    """Share of misses when each of the replicas gets that many requests per second."""
    trace = poisson(load, per_replica * REPLICAS, SECONDS, seed=1)
    world = World(trace, engine_31b_h100(derate), Objectives(), Routing.RANDOM, 120.0, seeds=(1,))
    return sum(misses(world, [REPLICAS] * world.intervals)) / len(trace.arrivals)


def promised(load: Trace, derate: float) -> float:
    costs = DENSE_31B_FP8_H100.derated(derate)
    step = StepTime(
        costs.base_ms / 1000,
        costs.per_sequence_ms / 1000,
        costs.per_kv_token_ms / 1000,
        costs.per_prompt_token_ms / 1000,
    )
    return capacity(settings_31b_h100(), step, seen(load), dispersion=1.0)


MIXES = {
    "chat": chat(),
    "chat in its rush: long prompts, short answers": part(chat(), 22, 33),
    "chat at ease: short prompts, long answers": part(chat(), 48, 57),
    "code completion": code(),
}


@pytest.mark.parametrize("derate", [1.0, 1.3])
@pytest.mark.parametrize("mix", MIXES)
def test_what_is_promised_is_kept_and_little_more_would_not_be(mix: str, derate: float) -> None:
    rate = promised(MIXES[mix], derate)
    assert late_at(MIXES[mix], rate, derate) <= 1.5 * LATE_SHARE
    assert late_at(MIXES[mix], 1.2 * rate, derate) > 1.5 * LATE_SHARE
