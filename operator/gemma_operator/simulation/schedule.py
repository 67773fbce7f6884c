"""A fleet that follows a timetable: how many replicas serve in each minute, known beforehand, with what that costs.

Called by ``bound``. Replicas are ready exactly when the timetable wants them and leave without cutting a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gemma_operator.simulation.arrivals import Trace
from gemma_operator.simulation.engine import Engine
from gemma_operator.simulation.replica import Replica
from gemma_operator.simulation.report import Objectives
from gemma_operator.simulation.request import Request
from gemma_operator.simulation.router import Router, Routing

INTERVAL_SECONDS = 60.0
AFTER_THE_END_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class World:
    """All that a timetable is judged by besides itself. Misses are means over ``seeds`` of the router."""

    trace: Trace
    engine: Engine
    objectives: Objectives
    routing: Routing
    cold_start_seconds: float
    seeds: tuple[int, ...] = (1, 2)

    @property
    def intervals(self) -> int:
        """Minutes of the trace, the last one perhaps short."""
        return max(1, -int(-self.trace.seconds // INTERVAL_SECONDS))


def gpu_hours(world: World, timetable: Sequence[int]) -> float:
    """GPU time: replicas over time, and a cold start for each that comes after the beginning."""
    last = world.trace.seconds - (len(timetable) - 1) * INTERVAL_SECONDS
    seconds = sum(timetable[:-1]) * INTERVAL_SECONDS + timetable[-1] * last
    rises = sum(max(0, after - before) for before, after in pairwise(timetable))
    return (seconds + rises * world.cold_start_seconds) * world.engine.gpus / 3600


def misses(world: World, timetable: Sequence[int]) -> list[float]:
    """Requests of each minute that miss an objective."""
    missed = [0.0] * len(timetable)
    for seed in world.seeds:
        requests = [Request(a.at_seconds, a.prompt_tokens, a.answer_tokens) for a in world.trace.arrivals]
        _serve(world, requests, timetable, seed)
        for request in requests:
            if not world.objectives.met(request):
                missed[_interval(request.arrived, len(timetable))] += 1 / len(world.seeds)
    return missed


def misses_alone(world: World, interval: int, replicas: int, warm_seconds: float = 60.0) -> float:
    """Requests of one minute that miss when ``replicas`` have served since a minute before."""
    start, end = interval * INTERVAL_SECONDS, (interval + 1) * INTERVAL_SECONDS
    window = [one for one in world.trace.arrivals if start - warm_seconds <= one.at_seconds < end + 20.0]
    missed = 0
    for seed in world.seeds:
        requests = [Request(one.at_seconds, one.prompt_tokens, one.answer_tokens) for one in window]
        _serve(world, requests, [replicas], seed * 1000 + interval)
        missed += sum(start <= one.arrived < end and not world.objectives.met(one) for one in requests)
    return missed / len(world.seeds)


def _serve(world: World, requests: list[Request], timetable: Sequence[int], seed: int) -> None:
    replicas = [Replica(world.engine) for _ in range(max(timetable))]
    router = Router(world.routing, seed)
    present, active = -1, replicas
    for request in requests:
        now = request.arrived
        interval = _interval(now, len(timetable))
        if interval != present:
            present, active = interval, replicas[: timetable[interval]]
        active[router.choose(active, now)].submit(request, now)
    for replica in replicas:
        replica.advance(world.trace.seconds + AFTER_THE_END_SECONDS)


def _interval(at_seconds: float, intervals: int) -> int:
    return min(intervals - 1, int(at_seconds // INTERVAL_SECONDS))
