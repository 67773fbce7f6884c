"""A whole run: every request ends as one thing, GPU time adds up, drains and cold starts do what they say."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from gemma_operator.autoscaling.decision import Decision
from gemma_operator.autoscaling.fleet import Fleet, PodState
from gemma_operator.autoscaling.settings import Settings
from gemma_operator.simulation.arrivals import Trace
from gemma_operator.simulation.baselines import PolicyName, named
from gemma_operator.simulation.hpa import DEFAULT, HpaState, synced
from gemma_operator.simulation.options import Options
from gemma_operator.simulation.report import Report, direction_changes
from gemma_operator.simulation.router import Routing
from gemma_operator.simulation.run import Decide, simulate
from tests.traces import chat
from tests.unit.simulation.engines import ENGINE, SETTINGS, steady, trace

QUARTER_HOUR = Trace(tuple(one for one in chat().arrivals if one.at_seconds < 900), 900.0)


def sizes(*plan: tuple[float, int]) -> Decide:
    """A policy that follows a timetable of (from second, replicas)."""

    def decide(settings: Settings, fleet: Fleet, state: Any) -> tuple[Decision, Any]:
        wanted = [size for at, size in plan if at <= fleet.now_seconds][-1]
        decision, _ = synced(DEFAULT, settings, fleet, HpaState(), wanted, "timetable")
        return replace(decision, desired=wanted), None

    return decide


def run(load: Trace, decide: Decide, options: Options) -> Report:
    return simulate(load, SETTINGS, ENGINE, options, decide, lambda: None)


@pytest.mark.parametrize("policy", list(PolicyName))
def test_every_arrival_ends_as_exactly_one_thing(policy: PolicyName) -> None:
    decide, new_state = named(policy)
    report = simulate(QUARTER_HOUR, SETTINGS, ENGINE, Options(), decide, new_state)
    ends = report.answered + report.shed_requests + report.lost_requests + report.unfinished_requests
    assert ends == report.arrivals == len(QUARTER_HOUR.arrivals)


def test_the_same_seed_gives_the_same_report_and_another_seed_another() -> None:
    decide, new_state = named(PolicyName.GEMMA)
    reports = [simulate(QUARTER_HOUR, SETTINGS, ENGINE, Options(seed=seed), decide, new_state) for seed in (1, 1, 2)]
    assert reports[0] == reports[1]
    assert reports[0] != reports[2]


def test_a_fleet_that_never_changes_is_billed_for_its_size() -> None:
    report = run(steady(1.0, 600), sizes((0, 3)), Options(initial_replicas=3))
    assert report.gpu_hours == pytest.approx(3 * 600 / 3600)
    assert report.mean_replicas == pytest.approx(3.0)


def test_more_replicas_never_attain_less() -> None:
    attained = [
        run(steady(12.0, 300), sizes((0, size)), Options(initial_replicas=size)).slo_attainment
        for size in (1, 2, 3, 4, 6)
    ]
    assert attained[0] < 0.5 < 0.999 < attained[-1]
    assert all(more >= fewer - 0.005 for fewer, more in pairwise(attained))


def test_a_router_that_knows_the_load_serves_better_than_chance() -> None:
    by_chance, by_load = (
        run(steady(9.0, 300), sizes((0, 3)), Options(initial_replicas=3, routing=routing)) for routing in Routing
    )
    assert by_load.time_to_first_token_p99_seconds < by_chance.time_to_first_token_p99_seconds


def test_a_new_replica_serves_after_its_cold_start_within_a_fifth() -> None:
    report = run(steady(1.0, 600), sizes((0, 1), (60, 4)), Options(cold_start_seconds=100.0))
    loading = [moment.at_seconds for moment in report.moments if moment.loading]
    assert loading[0] == 60
    assert 60 + 80 <= loading[-1] <= 60 + 120


def test_a_loading_replica_is_billed() -> None:
    report = run(steady(1.0, 600), sizes((0, 1), (300, 2)), Options(cold_start_seconds=1e6))
    assert report.gpu_hours == pytest.approx((600 + 300) / 3600)


def test_a_drained_replica_finishes_what_it_has() -> None:
    report = run(steady(4.0, 600, answer=1000), sizes((0, 4), (300, 2)), Options(initial_replicas=4))
    assert any(moment.draining for moment in report.moments)
    assert report.lost_requests == 0
    assert report.answered == report.arrivals


def test_a_drain_that_runs_out_of_time_loses_what_still_runs() -> None:
    load = steady(1.0, 200, answer=20_000)
    report = run(load, sizes((0, 2), (150, 1)), Options(initial_replicas=2, drain_timeout_seconds=10.0))
    assert report.lost_requests > 0


def test_a_surge_takes_draining_replicas_back_at_once() -> None:
    load = steady(2.0, 600, answer=10_000)
    report = run(load, sizes((0, 4), (300, 2), (330, 4)), Options(initial_replicas=4))
    back = next(moment for moment in report.moments if moment.at_seconds >= 330)
    assert (back.ready, back.loading, back.draining) == (4, 0, 0)


def test_what_loads_goes_before_what_serves() -> None:
    report = run(steady(2.0, 600), sizes((0, 2), (300, 4), (330, 2)), Options(initial_replicas=2))
    assert report.wasted_starts == 2
    assert not any(moment.draining for moment in report.moments)


def test_a_shed_request_is_a_miss() -> None:
    report = simulate(steady(20.0, 60), SETTINGS, ENGINE.limited_to(4), Options(), sizes((0, 1)), lambda: None)
    assert report.shed_requests > 0
    assert report.slo_attainment <= 1 - report.shed_requests / report.arrivals


def test_a_long_prompt_may_take_longer_for_its_first_token() -> None:
    short = trace(*((0.0, 1000, 1) for _ in range(60)))
    long = trace((0.0, 60_000, 1))
    assert run(long, sizes((0, 1)), Options()).time_to_first_token_p50_seconds > 2.0
    assert run(long, sizes((0, 1)), Options()).slo_attainment == 1.0
    assert run(short, sizes((0, 1)), Options()).slo_attainment < 1.0


def test_the_policy_sees_the_fleet_less_what_drains() -> None:
    seen: list[Fleet] = []
    timetable = sizes((0, 4), (300, 2))

    def watched(settings: Settings, fleet: Fleet, state: Any) -> tuple[Decision, Any]:
        seen.append(fleet)
        return timetable(settings, fleet, state)

    run(steady(4.0, 400, answer=2000), watched, Options(initial_replicas=4))
    draining = [fleet for fleet in seen if fleet.in_state(PodState.DRAINING)]
    assert draining
    assert all(fleet.replicas == len(fleet.pods) - len(fleet.in_state(PodState.DRAINING)) for fleet in seen)


@pytest.mark.parametrize(("series", "turns"), [([1, 1, 1], 0), ([1, 2, 3], 0), ([1, 2, 2, 1], 1), ([1, 2, 1, 3], 2)])
def test_a_turn_is_counted_when_growth_becomes_shrinking_or_back(series: list[int], turns: int) -> None:
    assert direction_changes(series) == turns
