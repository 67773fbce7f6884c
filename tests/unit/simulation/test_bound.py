"""The bound: never above a fixed fleet, at its attainment, and what it says can be checked."""

from dataclasses import replace

import pytest

from gemma_operator.simulation.arrivals import one_after_another
from gemma_operator.simulation.bound import ATTAINMENT, clairvoyant_bound
from gemma_operator.simulation.report import Objectives
from gemma_operator.simulation.router import Routing
from gemma_operator.simulation.scenarios import engine_31b_h100, step
from gemma_operator.simulation.schedule import World, gpu_hours, misses
from tests.bench_autoscaling import read_bounds
from tests.traces import chat
from tests.unit.simulation.engines import ENGINE, steady

LOAD = one_after_another(steady(1.5, 180), steady(7.0, 180, prompt=3000), steady(1.5, 180))
WORLD = World(LOAD, ENGINE, Objectives(), Routing.LEAST_OUTSTANDING, cold_start_seconds=60.0)


def test_gpu_time_is_replicas_over_time_and_a_cold_start_for_each_that_comes() -> None:
    assert gpu_hours(WORLD, [1] * 9) == pytest.approx(540 / 3600)
    assert gpu_hours(WORLD, [1] * 3 + [3] * 3 + [1] * 3) == pytest.approx((540 + 2 * 180 + 2 * 60) / 3600)


def test_the_bound_follows_the_load_and_keeps_its_attainment() -> None:
    bound = clairvoyant_bound(WORLD, 4, tries=24)
    assert bound.gpu_hours < 0.85 * bound.static_peak_gpu_hours
    assert max(bound.timetable[:2]) < min(bound.timetable[4:6])
    assert bound.gpu_hours == pytest.approx(gpu_hours(WORLD, bound.timetable))
    missed = sum(misses(WORLD, bound.timetable))
    assert bound.attainment == pytest.approx(1 - missed / len(LOAD.arrivals))
    assert bound.attainment >= ATTAINMENT


def test_a_longer_search_never_finds_a_worse_one() -> None:
    short, long = (clairvoyant_bound(WORLD, 4, tries=tries) for tries in (12, 18))
    assert long.gpu_hours <= short.gpu_hours


def test_a_load_beyond_the_maximum_has_no_bound() -> None:
    with pytest.raises(ValueError, match="Raise the maximum or lower the load"):
        clairvoyant_bound(replace(WORLD, trace=steady(60.0, 120)), 2, tries=20)


def test_the_committed_bounds_reach_their_attainment_below_a_fixed_fleet() -> None:
    bounds = read_bounds()
    assert bounds
    for bound in bounds.values():
        assert bound.attainment >= ATTAINMENT
        assert bound.gpu_hours < bound.static_peak_gpu_hours


def test_a_committed_bound_still_holds_when_it_is_simulated_again() -> None:
    load, bound = step(chat()), read_bounds()["4.4× step, random"]
    world = World(load, engine_31b_h100(), Objectives(), Routing.RANDOM, cold_start_seconds=120.0)
    assert gpu_hours(world, bound.timetable) == pytest.approx(bound.gpu_hours)
    missed = sum(misses(world, bound.timetable))
    assert 1 - missed / len(load.arrivals) == pytest.approx(bound.attainment, abs=1e-4)
