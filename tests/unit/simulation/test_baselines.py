"""The policies of others behave as their documentation and code say, on the cases that tell them apart."""

from dataclasses import replace

import pytest

from gemma_operator.autoscaling.fleet import Fleet, Pod, PodState
from gemma_operator.autoscaling.sample import Sample
from gemma_operator.simulation.baselines import SloState, hpa_waiting, keda_waiting, llm_d, slo_aware
from gemma_operator.simulation.counters import Counters
from gemma_operator.simulation.hpa import HpaState, average_target, value_target
from tests.unit.simulation.engines import SETTINGS

WIDE = replace(SETTINGS, max_replicas=100)


def page(running: float = 0.0, waiting: float = 0.0, at: float = 0.0) -> Sample:
    return replace(Counters().sample(at, 0, 0, 0.0), running=running, waiting=waiting)


def fleet(*pages: Sample | None, loading: int = 0, now: float = 0.0) -> Fleet:
    serving = [Pod(f"s{index}", PodState.SERVING, 600.0, one) for index, one in enumerate(pages)]
    starting = [Pod(f"l{index}", PodState.LOADING, 10.0) for index in range(loading)]
    return Fleet(now, len(pages) + loading, (*serving, *starting))


def test_within_a_tenth_of_its_target_an_hpa_does_nothing() -> None:
    four = fleet(*[page()] * 4)
    assert average_target(21.9, 5.0, four) == 4
    assert average_target(22.1, 5.0, four) == 5
    assert value_target(1.05, 1.0, four) == 4


def test_a_value_target_multiplies_by_ready_pods_and_an_average_target_looks_at_none() -> None:
    half_loaded = fleet(page(), page(), loading=2)
    assert value_target(3.0, 1.0, half_loaded) == 6
    assert average_target(30.0, 5.0, half_loaded) == 6


def test_an_hpa_leaves_the_size_alone_without_data_and_keda_reads_nought() -> None:
    blind = fleet(None, None, None)
    held, _ = hpa_waiting(WIDE, blind, HpaState())
    assert held.desired == 3
    later = replace(blind, now_seconds=400.0)
    _, state = keda_waiting(WIDE, blind, HpaState())
    shrunk, _ = keda_waiting(WIDE, later, state)
    assert shrunk.desired == 1


def test_a_fresh_hpa_keeps_its_size_for_its_window() -> None:
    idle = fleet(*[page()] * 5)
    state = HpaState()
    for now in (0.0, 150.0, 299.0):
        decision, state = hpa_waiting(WIDE, replace(idle, now_seconds=now), state)
        assert decision.desired == 5
    decision, _ = hpa_waiting(WIDE, replace(idle, now_seconds=301.0), state)
    assert decision.desired == 1


def test_an_hpa_grows_by_four_or_doubles_in_one_step() -> None:
    assert hpa_waiting(WIDE, fleet(page(waiting=500)), HpaState())[0].desired == 5
    assert hpa_waiting(WIDE, fleet(*[page(waiting=500)] * 10), HpaState())[0].desired == 20


def test_llm_d_counts_sixteen_running_per_replica_and_takes_off_what_loads() -> None:
    assert llm_d(WIDE, fleet(page(running=40), page(running=40)), HpaState())[0].desired == 5
    assert llm_d(WIDE, fleet(page(running=40), page(running=40), loading=2), HpaState())[0].desired == 4


@pytest.mark.parametrize(("first_token_seconds", "grows"), [(0.3, -1), (0.9, 0), (1.5, 1)])
def test_slo_aware_grows_above_and_shrinks_below_its_band(first_token_seconds: float, grows: int) -> None:
    counters = Counters()
    state = SloState()
    desired = 8
    for tick in range(40):
        now = 15.0 * tick
        counters.first_token.observe(first_token_seconds, 100)
        counters.inter_token.observe(0.005, 1000)
        decision, state = slo_aware(WIDE, fleet(*[counters.sample(now, 5, 0, 0.1)] * 8, now=now), state)
        desired = decision.desired
    assert (desired > 8) - (desired < 8) == grows
