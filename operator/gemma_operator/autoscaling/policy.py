"""One tick: settings, fleet and state in; decision and next state out.

Called every few seconds by the scaling loop and by the simulator. The model of capacity leads, measured latency
corrects. Demand over capacity is an absolute number of replicas, loading ones included, so it can't cascade. What
is not known never shrinks the fleet: no data, half a view, a fresh start, a roll-out, a pod that loads.
"""

import math
from dataclasses import dataclass, field, replace

from gemma_operator.autoscaling.arrivals import Arrivals, arrived
from gemma_operator.autoscaling.behavior import Moment, limited, longest_seconds, settled, stabilized
from gemma_operator.autoscaling.capacity import capacity
from gemma_operator.autoscaling.decision import CapacitySource, Decision, Limit
from gemma_operator.autoscaling.fleet import Fleet, PodState
from gemma_operator.autoscaling.guard import Guard, guarded
from gemma_operator.autoscaling.mix import QUICK_SECONDS, SLOW_SECONDS, Mix, mixed
from gemma_operator.autoscaling.settings import Settings, StepTime
from gemma_operator.autoscaling.sight import Memory, Sight, look
from gemma_operator.autoscaling.step_time import Learned, fitted, observed
from gemma_operator.autoscaling.wording import sentence

CARRIED_SHARE = 0.88
"""Of their capacity is what the replicas that stay may be asked for when one goes."""

DRAIN_BACKLOG_SECONDS = 30.0
"""A backlog is to be gone this long after half a cold start."""

LEARN_SECONDS = 300.0
"""Nothing shrinks before so much time has been seen."""

OVERDUE = 3.0
"""Cold starts after which a pod that loads is no supply."""

DISPERSION_SECONDS = 600.0
LEAST_DISPERSION, MOST_DISPERSION = 0.2, 2.0


@dataclass(frozen=True, slots=True)
class State:
    """What is carried from tick to tick. A lost state never shrinks the fleet.

    ``dispersion`` is how the requests spread over the replicas: variance over mean, 1 behind a Service, which picks at
    random, near 0 behind a router that knows the load.
    """

    memory: Memory = field(default_factory=Memory)
    arrivals: Arrivals = field(default_factory=Arrivals)
    mix: Mix = field(default_factory=Mix)
    quick_mix: Mix = field(default_factory=Mix)
    learned: Learned = field(default_factory=Learned)
    guard: Guard = field(default_factory=Guard)
    dispersion: float = 1.0
    recommendations: tuple[Moment, ...] = ()
    changes: tuple[Moment, ...] = ()
    replicas: int | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """Replicas as fractions: to grow to, and to shrink to at most; ``backlog`` is requests beyond one per replica."""

    up: float
    down: float
    backlog: float


def decide(settings: Settings, fleet: Fleet, state: State) -> tuple[Decision, State]:
    """How many replicas ``fleet`` should have."""
    start = start_seconds(settings, fleet)
    sight, memory = look(fleet, state.memory)
    state = _learnt(replace(state, memory=memory), settings, sight)
    settings = replace(settings, behavior=settled(settings.behavior, start, state.arrivals.burst))
    step = fitted(state.learned, settings.step_time)
    carried, dearer = _carried(settings, step, state)
    guard = guarded(state.guard, settings, step, sight)
    need = _need(settings, state, sight, carried, dearer, guard.trust, start)
    overdue = sum(pod.age_seconds > OVERDUE * start for pod in fleet.in_state(PodState.LOADING))
    need = _tolerated(settings, need, fleet.replicas)
    wanted, hold = _wanted(fleet, state, sight, need, guard, overdue)
    bounded = min(max(wanted, settings.min_replicas), settings.max_replicas)
    state = _remembered(state, settings, fleet, bounded)
    steady = stabilized(settings.behavior, bounded, fleet.replicas, state.recommendations, fleet.now_seconds)
    steady = min(max(steady, settings.min_replicas), settings.max_replicas)
    desired, limit = limited(settings.behavior, steady, fleet.replicas, state.changes, fleet.now_seconds)
    if limit is Limit.NONE:
        limit = _limit(wanted, bounded, steady, hold)
    decision = Decision(
        desired=desired,
        wanted=wanted,
        limit=limit,
        queue_depth=sum(one.waiting for one in sight.flows),
        tokens_per_second=state.arrivals.fast * state.mix.answer,
        capacity_tokens_per_second=_tokens(settings, state, carried, guard.trust),
        capacity_source=_source(settings, state),
        start_seconds=start,
        overdue_pods=overdue,
        blind=not sight.flows,
        scaling=desired != fleet.replicas or bool(fleet.in_state(PodState.LOADING)) or need.backlog > 0,
        reason="",
    )
    served = guard.served() if wanted > fleet.replicas else guard
    return replace(decision, reason=sentence(decision, fleet)), replace(state, guard=served)


def start_seconds(settings: Settings, fleet: Fleet) -> float:
    """The cold start to reckon with: of those seen the one that four of five do not exceed."""
    if not fleet.start_seconds:
        return settings.start_seconds
    ordered = sorted(fleet.start_seconds)
    return ordered[math.ceil(0.8 * len(ordered)) - 1]


def _learnt(state: State, settings: Settings, sight: Sight) -> State:
    if not sight.flows:
        return state
    seconds = sum(one.seconds for one in sight.flows) / len(sight.flows)
    return replace(
        state,
        arrivals=arrived(state.arrivals, sight.arrival_rate, seconds),
        mix=mixed(state.mix, sight.flows, seconds, SLOW_SECONDS),
        quick_mix=mixed(state.quick_mix, sight.flows, seconds, QUICK_SECONDS),
        learned=observed(state.learned, sight.flows, settings.kv_tokens),
        dispersion=_dispersion(state.dispersion, sight, seconds),
    )


def _dispersion(before: float, sight: Sight, seconds: float) -> float:
    numbers = [one.running + one.waiting for one in sight.flows]
    mean = sum(numbers) / len(numbers)
    if len(numbers) < 2 or mean < 1:
        return before
    variance = sum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1)
    share = min(1.0, seconds * (len(numbers) - 1) / 3 / DISPERSION_SECONDS)
    return min(MOST_DISPERSION, max(LEAST_DISPERSION, before + share * (variance / mean - before)))


def _carried(settings: Settings, step: StepTime, state: State) -> tuple[float, float]:
    """What a replica carries of the dearer of both mixes, and how much dearer requests are than they were."""
    slow = capacity(settings, step, state.mix, state.dispersion)
    if not state.quick_mix.enough:
        return slow, 1.0
    quick = capacity(settings, step, state.quick_mix, state.dispersion)
    if quick >= slow:
        return slow, 1.0
    return quick, slow / quick


def _tokens(settings: Settings, state: State, carried: float, trust: float) -> float:
    """Capacity of a replica in answer tokens per second."""
    return settings.tokens_per_second_per_replica or carried * trust * state.mix.answer


def _source(settings: Settings, state: State) -> CapacitySource:
    if settings.tokens_per_second_per_replica is not None:
        return CapacitySource.TARGET
    return CapacitySource.LEARNED if state.learned.enough else CapacitySource.ESTIMATED


def _need(
    settings: Settings, state: State, sight: Sight, carried: float, dearer: float, trust: float, start: float
) -> Need:
    waiting = sum(one.waiting for one in sight.flows)
    backlog = max(0.0, waiting - len(sight.flows))
    rate = _tokens(settings, state, carried, trust) / state.mix.answer
    queue = backlog / (rate * (start / 2 + DRAIN_BACKLOG_SECONDS))
    up = state.arrivals.expected(start, dearer) / rate + queue
    down = state.arrivals.expected(0.0) / rate / CARRIED_SHARE + queue
    if settings.queue_depth_per_replica is not None:
        depth = waiting / settings.queue_depth_per_replica
        up, down = max(up, depth), max(down, depth)
    return Need(up, down, backlog)


def _tolerated(settings: Settings, need: Need, current: int) -> Need:
    """Within ``tolerance`` of the size as it is, the size is what is needed: HPA v2 compares the same ratio."""
    up, down = settings.behavior.scale_up.tolerance, settings.behavior.scale_down.tolerance
    return replace(
        need,
        up=current if current < need.up <= current * (1 + up) else need.up,
        down=current if current * (1 - down) <= need.down < current else need.down,
    )


def _wanted(fleet: Fleet, state: State, sight: Sight, need: Need, guard: Guard, overdue: int) -> tuple[int, Limit]:
    """Replicas before bounds and behavior, and what held a shrinking back."""
    current = fleet.replicas
    if not sight.flows:
        return current, Limit.NO_DATA
    up, down = math.ceil(need.up - 1e-9), max(math.ceil(need.down - 1e-9), math.ceil(need.up - 1e-9))
    if guard.comfortable:
        up = min(up, current + 1)
    if guard.late and not fleet.in_state(PodState.LOADING):
        up = max(up, current + 1)
    if up > current:
        return up + min(overdue, 1), Limit.NONE
    if down >= current:
        return current, Limit.NONE
    if sight.unseen or state.arrivals.seen_seconds < LEARN_SECONDS:
        return current, Limit.NO_DATA
    if fleet.rolling_out or len(fleet.in_state(PodState.LOADING)) > overdue:
        return current, Limit.ROLLING_OUT
    return down, Limit.NONE


def _remembered(state: State, settings: Settings, fleet: Fleet, recommended: int) -> State:
    """With this tick's recommendation and the change since the last; the first recommendation is the size as it is."""
    now, oldest = fleet.now_seconds, fleet.now_seconds - longest_seconds(settings.behavior)
    before = fleet.replicas if state.replicas is None else state.replicas
    past = state.recommendations or (Moment(now, fleet.replicas),)
    changes = state.changes
    if fleet.replicas != before:
        changes = (*changes, Moment(now, fleet.replicas - before))
    return replace(
        state,
        recommendations=tuple(one for one in (*past, Moment(now, recommended)) if one.at_seconds >= oldest),
        changes=tuple(one for one in changes if one.at_seconds >= oldest),
        replicas=fleet.replicas,
    )


def _limit(wanted: int, bounded: int, steady: int, hold: Limit) -> Limit:
    if wanted > bounded:
        return Limit.TOO_MANY
    if wanted < bounded:
        return Limit.TOO_FEW
    return Limit.STABILIZED if steady != bounded else hold
