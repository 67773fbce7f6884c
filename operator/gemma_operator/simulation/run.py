"""``simulate``: a trace against a fleet under a scaling policy, the operator's own unless another is given."""

import math
from collections.abc import Callable
from typing import Any

from gemma_operator.autoscaling import policy
from gemma_operator.autoscaling.decision import Decision
from gemma_operator.autoscaling.fleet import Fleet, PodState
from gemma_operator.autoscaling.settings import Settings
from gemma_operator.simulation.arrivals import Trace
from gemma_operator.simulation.engine import Engine
from gemma_operator.simulation.options import Options
from gemma_operator.simulation.pods import Pods
from gemma_operator.simulation.report import Moment, Objectives, Report, direction_changes, latencies, quantile
from gemma_operator.simulation.request import Outcome, Request
from gemma_operator.simulation.router import Router

AFTER_THE_END_SECONDS = 600.0

# The state is the policy's own: the simulator carries it from tick to tick and never looks inside.
Decide = Callable[[Settings, Fleet, Any], tuple[Decision, Any]]


def simulate(
    trace: Trace,
    settings: Settings,
    engine: Engine,
    options: Options,
    decide: Decide = policy.decide,
    new_state: Callable[[], Any] = policy.State,
    objectives: Objectives | None = None,
) -> Report:
    """Run the trace. GPU time is billed until the trace's end; requests may end up to ten minutes after it.

    ``objectives`` default to the settings' two targets.
    """
    objectives = objectives or Objectives(settings.time_to_first_token_seconds, settings.inter_token_seconds)
    pods = Pods(engine, options, options.initial_replicas or settings.min_replicas)
    router = Router(options.routing, options.seed)
    loop = _Loop(settings, options, pods, decide, new_state)
    requests = [Request(a.at_seconds, a.prompt_tokens, a.answer_tokens) for a in trace.arrivals]
    for request in requests:
        now = request.arrived
        if loop.next_tick <= now or pods.next_ready <= now:
            loop.until(now)
        if pods.serving:
            pods.serving[router.choose(pods.serving, now)].submit(request, now)
        else:
            request.outcome, request.ended = Outcome.SHED, now
    loop.until(trace.seconds)
    pods.close(trace.seconds)
    for pod in pods.pods:
        pod.replica.advance(trace.seconds + AFTER_THE_END_SECONDS)
    return _report(requests, trace, engine, objectives, pods, loop.moments)


class _Loop:
    """The controller: looks, decides, acts, at its own pace."""

    def __init__(
        self, settings: Settings, options: Options, pods: Pods, decide: Decide, new_state: Callable[[], Any]
    ) -> None:
        self._settings, self._options, self._pods = settings, options, pods
        self._decide, self._new_state = decide, new_state
        self._state = new_state()
        self._restart_at = options.faults.restart_at_seconds
        self.next_tick = 0.0
        self.moments: list[Moment] = []

    def until(self, now: float) -> None:
        """All starts and ticks up to ``now``, in their order."""
        while min(self.next_tick, self._pods.next_ready) <= now:
            if self._pods.next_ready <= self.next_tick:
                self._pods.settle(self._pods.next_ready)
            else:
                self._tick(self.next_tick)

    def _tick(self, now: float) -> None:
        pods, options = self._pods, self._options
        pods.settle(now)
        if now >= self._restart_at:
            self._state, self._restart_at = self._new_state(), math.inf
        decision, self._state = self._decide(self._settings, pods.observed(now), self._state)
        if decision.desired != pods.size:
            pods.resize(decision.desired, now)
        self.next_tick = now + (options.scaling_scrape_seconds if decision.scaling else options.scrape_seconds)
        in_flight = sum(pod.replica.in_flight for pod in pods.pods)
        running = sum(pod.replica.running for pod in pods.pods)
        self.moments.append(
            Moment(
                at_seconds=now,
                desired=decision.desired,
                ready=pods.count(PodState.SERVING),
                loading=pods.count(PodState.LOADING),
                draining=pods.count(PodState.DRAINING),
                running=running,
                waiting=in_flight - running,
                reason=decision.reason,
            )
        )


def _report(
    requests: list[Request],
    trace: Trace,
    engine: Engine,
    objectives: Objectives,
    pods: Pods,
    moments: list[Moment],
) -> Report:
    first, between = latencies(requests)
    ended = {outcome: sum(request.outcome is outcome for request in requests) for outcome in Outcome}
    return Report(
        arrivals=len(requests),
        answered=ended[Outcome.ANSWERED],
        shed_requests=ended[Outcome.SHED],
        lost_requests=ended[Outcome.LOST],
        unfinished_requests=ended[Outcome.UNFINISHED],
        slo_attainment=sum(map(objectives.met, requests)) / len(requests),
        gpu_hours=pods.billed_seconds / 3600 * engine.gpus,
        mean_replicas=pods.billed_seconds / trace.seconds,
        peak_replicas=max(moment.ready + moment.loading + moment.draining for moment in moments),
        time_to_first_token_p50_seconds=quantile(first, 0.5),
        time_to_first_token_p99_seconds=quantile(first, 0.99),
        inter_token_p50_seconds=quantile(between, 0.5),
        inter_token_p99_seconds=quantile(between, 0.99),
        direction_changes=direction_changes([moment.desired for moment in moments]),
        wasted_starts=pods.wasted_starts,
        preemptions=pods.preemptions,
        moments=tuple(moments),
    )
