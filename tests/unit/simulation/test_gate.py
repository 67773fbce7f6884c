"""The replay gate: short loads that the operator's policy must serve at a price. The full table is the bench's."""

import pytest

from gemma_operator.simulation.arrivals import Trace, one_after_another, poisson, until
from gemma_operator.simulation.options import Options
from gemma_operator.simulation.report import Report
from gemma_operator.simulation.run import simulate
from gemma_operator.simulation.scenarios import (
    KV_TOKENS_256K,
    conversation_times_four,
    engine_31b_h100,
    long_prompts,
    settings_31b_h100,
)
from tests.traces import chat, code

QUEUE_LIMIT = 64


def replayed(load: Trace, initial: int, seed: int = 1) -> Report:
    return simulate(
        load,
        settings_31b_h100(),
        engine_31b_h100(queue_limit=QUEUE_LIMIT),
        Options(seed=seed, initial_replicas=initial),
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_minutes_of_chat_are_served_without_waste(seed: int) -> None:
    report = replayed(until(conversation_times_four(chat()), 1200.0), initial=7, seed=seed)
    assert report.slo_attainment >= 0.995
    assert report.mean_replicas <= 9
    assert report.lost_requests == 0


def test_the_rush_of_chat_is_served_though_its_prompts_grow_and_its_answers_shrink() -> None:
    """Half as much again within ten minutes, of requests that hold up each other's short answers."""
    report = replayed(until(conversation_times_four(chat()), 2040.0), initial=6)
    assert report.slo_attainment >= 0.99
    assert report.mean_replicas <= 10
    assert report.lost_requests == 0


def test_a_change_of_mix_is_followed() -> None:
    load = one_after_another(poisson(chat(), 14.0, 600.0, seed=1), poisson(code(), 16.0, 900.0, seed=2))
    report = replayed(load, initial=5)
    assert report.slo_attainment >= 0.985
    assert 6 <= report.peak_replicas <= 14
    assert report.direction_changes <= 1


def test_a_surge_is_met_within_its_cold_start_and_the_rest_is_told_at_once() -> None:
    load = one_after_another(poisson(chat(), 5.0, 300.0, seed=1), poisson(chat(), 22.0, 900.0, seed=2))
    report = replayed(load, initial=2)
    assert report.slo_attainment >= 0.91
    assert report.time_to_first_token_p99_seconds <= 2.0
    assert report.shed_requests > 0


def test_a_steady_load_moves_nothing_back_and_forth() -> None:
    report = replayed(poisson(chat(), 14.0, 1800.0, seed=1), initial=5)
    assert report.slo_attainment >= 0.995
    assert report.direction_changes == 0


def test_no_replica_is_added_for_prefills_that_only_take_their_time() -> None:
    report = simulate(
        until(long_prompts(), 1800.0),
        settings_31b_h100(kv_tokens=KV_TOKENS_256K),
        engine_31b_h100(kv_tokens=KV_TOKENS_256K),
        Options(seed=1, initial_replicas=1),
    )
    assert report.peak_replicas == 1
