"""What faults do to the size of a fleet: the part of the scaling bench that asks for a number that must not fall."""

from dataclasses import replace

from gemma_operator.simulation.arrivals import until
from gemma_operator.simulation.faults import Faults
from gemma_operator.simulation.options import Options
from gemma_operator.simulation.report import Report
from gemma_operator.simulation.run import simulate
from gemma_operator.simulation.scenarios import conversation_times_four, engine_31b_h100, settings_31b_h100, step
from tests.traces import chat

STEADY_AT, SURGE_AT = 600.0, 1260.0
FAULTS = {
    "metrics gap of 3 min": (False, STEADY_AT, Faults(metrics_gap=(STEADY_AT, STEADY_AT + 180.0))),
    "NaN for 3 min": (False, STEADY_AT, Faults(nan=(STEADY_AT, STEADY_AT + 180.0))),
    "one frozen pod": (False, STEADY_AT, Faults(frozen=(STEADY_AT, STEADY_AT + 300.0), frozen_pod=0)),
    "counter reset": (False, STEADY_AT, Faults(reset_at_seconds=STEADY_AT, reset_pod=0)),
    "controller restart": (False, STEADY_AT, Faults(restart_at_seconds=STEADY_AT)),
    "restart in a surge": (True, SURGE_AT, Faults(restart_at_seconds=SURGE_AT)),
}
WATCHED_SECONDS = 360.0


def fall(name: str) -> tuple[int, int, int]:
    """Desired replicas when the fault begins, their least in the six minutes after, and the same without the fault."""
    surge, at, faults = FAULTS[name]
    trace = until(step(chat()) if surge else conversation_times_four(chat()), at + WATCHED_SECONDS)
    options = Options(initial_replicas=2 if surge else 8)
    settings, engine = settings_31b_h100(), engine_31b_h100()
    with_fault = simulate(trace, settings, engine, replace(options, faults=faults))
    without = simulate(trace, settings, engine, options)
    return _at(with_fault, at), _least(with_fault, at), _least(without, at)


def print_faults() -> None:
    """One line per fault."""
    print("\nfaults: desired replicas at the fault, least in the six minutes after, and the same without the fault")
    for name in FAULTS:
        before, least, anyway = fall(name)
        print(f"  {name:<22}{before:>4} → {least:<4} (without: {anyway})", flush=True)


def _at(report: Report, at: float) -> int:
    return [moment.desired for moment in report.moments if moment.at_seconds < at][-1]


def _least(report: Report, at: float) -> int:
    return min(moment.desired for moment in report.moments if at <= moment.at_seconds <= at + WATCHED_SECONDS)
