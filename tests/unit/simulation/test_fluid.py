"""The fluid estimate against fleets that really run."""

from gemma_operator.simulation.fluid import fluid_replicas
from gemma_operator.simulation.options import Options
from gemma_operator.simulation.report import Objectives
from gemma_operator.simulation.router import Routing
from gemma_operator.simulation.run import simulate
from tests.unit.simulation.engines import ENGINE, SETTINGS, steady
from tests.unit.simulation.test_run import sizes

LOAD = steady(40.0, 200)


def test_a_fluid_fleet_serves_an_even_load_and_half_of_it_does_not() -> None:
    replicas = fluid_replicas(LOAD, ENGINE, Objectives())
    assert replicas > 2
    for size, served in ((replicas, True), (replicas // 2, False)):
        options = Options(initial_replicas=size, routing=Routing.LEAST_OUTSTANDING)
        report = simulate(LOAD, SETTINGS, ENGINE, options, sizes((0, size)), lambda: None)
        assert (report.slo_attainment > 0.99) == served


def test_a_slower_engine_needs_more() -> None:
    assert fluid_replicas(LOAD, ENGINE.derated(2.0), Objectives()) > fluid_replicas(LOAD, ENGINE, Objectives())
