"""The pods of a simulated fleet: cold starts, drains, who is billed for how long.

Called by ``run``. A pod is billed from the moment it is bound to a node until it is gone, loading and draining
included.
"""

import math
import random
from dataclasses import dataclass, replace

from gemma_operator.autoscaling.fleet import Fleet, Pod, PodState
from gemma_operator.autoscaling.sample import Sample
from gemma_operator.simulation.engine import Engine
from gemma_operator.simulation.faults import not_a_number, since, within
from gemma_operator.simulation.options import Options
from gemma_operator.simulation.replica import Replica

REMEMBERED_STARTS = 20
LEAST_START_SECONDS = 1.0


@dataclass(slots=True)
class SimulatedPod:
    """One pod. ``bound_at`` and ``ready_at`` are infinite while no node has room for it."""

    ordinal: int
    created_at: float
    bound_at: float
    ready_at: float
    replica: Replica
    state: PodState = PodState.LOADING
    draining_since: float = math.inf
    frozen: Sample | None = None
    reset: Sample | None = None


class Pods:
    """All pods that exist, and the bill of those that are gone."""

    def __init__(self, engine: Engine, options: Options, initial: int) -> None:
        self._engine, self._options = engine, options
        self._chance = random.Random(f"starts {options.seed}")  # noqa: S311 (reproducible, not secret)
        self._created = 0
        self._starts: list[float] = []
        self.pods: list[SimulatedPod] = []
        self.next_ready = math.inf
        self.serving: list[Replica] = []
        self.billed_seconds = 0.0
        self.wasted_starts = 0
        self.preemptions = 0
        for _ in range(initial):
            pod = self._create(0.0)
            pod.bound_at = pod.ready_at = 0.0
            pod.state = PodState.SERVING
        self._changed()

    def count(self, state: PodState) -> int:
        """How many pods are in a state."""
        return sum(pod.state is state for pod in self.pods)

    @property
    def size(self) -> int:
        """Pods that are to stay: serving and loading."""
        return sum(pod.state is not PodState.DRAINING for pod in self.pods)

    def settle(self, now: float) -> None:
        """Let starts end, drains end, and waiting pods be bound, as of ``now``."""
        for pod in self.pods:
            if pod.state is PodState.LOADING and pod.ready_at <= now:
                if self._chance.random() < self._options.faults.failing_starts:
                    pod.ready_at += self._start_seconds()
                    continue
                pod.state = PodState.SERVING
                self._starts.append(pod.ready_at - pod.created_at)
                del self._starts[:-REMEMBERED_STARTS]
        for pod in [pod for pod in self.pods if pod.state is PodState.DRAINING]:
            pod.replica.advance(now)
            overdue = now >= pod.draining_since + self._options.drain_timeout_seconds
            if overdue:
                pod.replica.abandon(now)
            if overdue or pod.replica.in_flight == 0:
                self._remove(pod, now)
        self._bind(now)
        self._changed()

    def resize(self, desired: int, now: float) -> None:
        """Grow or shrink to ``desired``: draining pods come back first; loading ones go first, then the least busy."""
        growth = desired - self.size
        for pod in sorted(self.pods, key=lambda pod: -pod.replica.in_flight):
            if growth > 0 and pod.state is PodState.DRAINING:
                pod.state, pod.draining_since = PodState.SERVING, math.inf
                growth -= 1
        for _ in range(growth):
            self._create(now)
        if growth < 0:
            for pod in self.pods:
                pod.replica.advance(now)
            staying = [pod for pod in self.pods if pod.state is not PodState.DRAINING]
            staying.sort(key=lambda pod: (pod.state is PodState.SERVING, pod.replica.in_flight, -pod.ordinal))
            for pod in staying[:-growth]:
                if pod.state is PodState.LOADING:
                    self.wasted_starts += 1
                    self._remove(pod, now)
                else:
                    pod.state, pod.draining_since = PodState.DRAINING, now
        self._bind(now)
        self._changed()

    def observed(self, now: float) -> Fleet:
        """The fleet as a scraper sees it, faults included."""
        pods = tuple(
            Pod(f"pod-{pod.ordinal}", pod.state, now - pod.created_at, self._scrape(pod, now)) for pod in self.pods
        )
        return Fleet(now, self.size, pods, rolling_out=False, start_seconds=tuple(self._starts))

    def close(self, now: float) -> None:
        """Bill what is still there."""
        for pod in self.pods:
            self._bill(pod, now)

    def _scrape(self, pod: SimulatedPod, now: float) -> Sample | None:
        faults = self._options.faults
        if pod.state is PodState.LOADING or within(faults.metrics_gap, now):
            return None
        sample = pod.replica.sample(now)
        if pod.ordinal == faults.reset_pod and now >= faults.reset_at_seconds:
            if pod.reset is None:
                pod.reset = sample
            sample = since(sample, pod.reset)
        if pod.ordinal == faults.frozen_pod and within(faults.frozen, now):
            if pod.frozen is None:
                pod.frozen = sample
            sample = replace(pod.frozen, at_seconds=now)
        return not_a_number(sample) if within(faults.nan, now) else sample

    def _create(self, now: float) -> SimulatedPod:
        pod = SimulatedPod(self._created, now, math.inf, math.inf, Replica(self._engine))
        self._created += 1
        self.pods.append(pod)
        return pod

    def _bind(self, now: float) -> None:
        room = self._options.faults.cluster_size
        bound = sum(pod.bound_at < math.inf for pod in self.pods)
        for pod in self.pods:
            if pod.bound_at == math.inf and (room is None or bound < room):
                pod.bound_at, pod.ready_at = now, now + self._start_seconds()
                bound += 1

    def _start_seconds(self) -> float:
        return max(LEAST_START_SECONDS, self._options.cold_start_seconds * self._chance.uniform(0.8, 1.2))

    def _remove(self, pod: SimulatedPod, now: float) -> None:
        self.pods.remove(pod)
        self._bill(pod, now)

    def _bill(self, pod: SimulatedPod, now: float) -> None:
        self.billed_seconds += max(0.0, now - pod.bound_at)
        self.preemptions += pod.replica.counters.preemptions

    def _changed(self) -> None:
        self.serving = [pod.replica for pod in self.pods if pod.state is PodState.SERVING]
        loading = (pod.ready_at for pod in self.pods if pod.state is PodState.LOADING)
        self.next_ready = min(loading, default=math.inf)
