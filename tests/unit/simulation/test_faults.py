"""Faults do what they say, and the operator's policy never shrinks a fleet because of one."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from gemma_operator.autoscaling.decision import Decision
from gemma_operator.autoscaling.fleet import Fleet, PodState
from gemma_operator.autoscaling.settings import Settings
from gemma_operator.simulation.faults import Faults
from gemma_operator.simulation.hpa import DEFAULT, HpaState, synced
from gemma_operator.simulation.options import Options
from gemma_operator.simulation.report import Report
from gemma_operator.simulation.run import simulate
from tests.autoscaling_faults import FAULTS, fall
from tests.unit.simulation.engines import ENGINE, SETTINGS, steady

SPAN = (100.0, 160.0)


class Watcher:
    """A policy that keeps the size, or asks for another, and remembers what it was shown."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.fleets: list[Fleet] = []
        self.states: list[Any] = []

    def __call__(self, settings: Settings, fleet: Fleet, state: Any) -> tuple[Decision, Any]:
        self.fleets.append(fleet)
        self.states.append(state)
        decision, _ = synced(DEFAULT, settings, fleet, HpaState(), self.size, "fixed")
        return replace(decision, desired=self.size), "carried"

    def seen(self, start: float, end: float) -> list[Fleet]:
        return [fleet for fleet in self.fleets if start <= fleet.now_seconds < end]


def watched(faults: Faults, size: int = 2, initial: int = 2) -> tuple[Watcher, Report]:
    watcher = Watcher(size)
    options = Options(initial_replicas=initial, faults=faults)
    report = simulate(steady(2.0, 300), SETTINGS, ENGINE, options, watcher, lambda: "new")
    return watcher, report


def test_in_a_metrics_gap_no_pod_has_a_sample() -> None:
    watcher, _ = watched(Faults(metrics_gap=SPAN))
    assert all(pod.sample is None for fleet in watcher.seen(*SPAN) for pod in fleet.pods)
    assert all(pod.sample is not None for fleet in watcher.seen(160, 300) for pod in fleet.pods)


def test_a_frozen_pod_shows_its_last_page_while_the_other_moves_on() -> None:
    watcher, report = watched(Faults(frozen=SPAN, frozen_pod=1))
    pages = [[pod.sample for pod in fleet.pods] for fleet in watcher.seen(*SPAN)]
    moving, frozen = ([page[index].generation_tokens for page in pages if page[index]] for index in (0, 1))
    assert len(set(frozen)) == 1
    assert len(set(moving)) == len(moving) > 2
    assert report.answered == report.arrivals


def test_every_value_is_nan_while_pages_are_broken() -> None:
    watcher, _ = watched(Faults(nan=SPAN))
    samples = [pod.sample for fleet in watcher.seen(*SPAN) for pod in fleet.pods]
    assert samples
    assert all(sample is not None and math.isnan(sample.running) for sample in samples)
    assert all(sample is not None and math.isnan(sample.inter_token_seconds.count) for sample in samples)


def test_a_reset_starts_the_counters_of_one_pod_anew() -> None:
    watcher, _ = watched(Faults(reset_at_seconds=150.0, reset_pod=0))
    tokens = [
        [pod.sample.generation_tokens for pod in fleet.pods if pod.sample is not None] for fleet in watcher.fleets
    ]
    falls = [[after < before for before, after in zip(*pair, strict=True)] for pair in pairwise(tokens)]
    assert sum(fall[0] for fall in falls) == 1
    assert not any(fall[1] for fall in falls)


def test_a_restart_loses_the_state_once() -> None:
    watcher, _ = watched(Faults(restart_at_seconds=150.0))
    times = [fleet.now_seconds for fleet in watcher.fleets]
    assert [at for at, state in zip(times, watcher.states, strict=True) if state == "new"] == [0.0, 150.0]


def test_starts_that_fail_begin_again_and_are_billed() -> None:
    watcher, report = watched(Faults(failing_starts=1.0), size=3)
    assert all(len(fleet.in_state(PodState.SERVING)) == 2 for fleet in watcher.fleets)
    assert report.gpu_hours == pytest.approx(3 * 300 / 3600)


def test_pods_beyond_the_cluster_wait_unbilled() -> None:
    watcher, report = watched(Faults(cluster_size=3), size=5)
    assert max(len(fleet.in_state(PodState.SERVING)) for fleet in watcher.fleets) == 3
    assert len(watcher.fleets[-1].in_state(PodState.LOADING)) == 2
    assert report.gpu_hours == pytest.approx(3 * 300 / 3600)


@pytest.mark.parametrize("name", FAULTS)
def test_replicas_never_fall_because_of_a_fault(name: str) -> None:
    before, least, without = fall(name)
    assert least >= min(before, without)
