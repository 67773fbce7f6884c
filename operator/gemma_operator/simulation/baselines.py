"""Scaling policies that others ship, each at the defaults of its documentation. Called as ``policy.decide`` is.

What they read from an endpoint picker (queue and running requests) is read here from the engines, and each gets the
sum over pods that its query needs, without the lag of a Prometheus: kinder than life.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from gemma_operator.autoscaling import policy
from gemma_operator.autoscaling.decision import Decision
from gemma_operator.autoscaling.fleet import Fleet, PodState
from gemma_operator.autoscaling.flow import Flow, flow, quantile
from gemma_operator.autoscaling.sample import Histogram, Sample
from gemma_operator.autoscaling.settings import Behavior, PolicyType, ScalingPolicy, ScalingRules, Settings
from gemma_operator.simulation.hpa import DEFAULT, HpaState, average_target, synced, value_target

KEDA_WAITING = 5.0
LLM_D_RUNNING = 16.0
SLO_UP, SLO_DOWN, SLO_MOST = 0.55, 0.40, 2.0
SLO_AVERAGED_SECONDS = 45.0
SLO_BEHAVIOR = Behavior(
    scale_up=ScalingRules(
        (ScalingPolicy(PolicyType.PERCENT, 100, 60), ScalingPolicy(PolicyType.PODS, 4, 60)),
        stabilization_window_seconds=30,
    ),
    scale_down=ScalingRules((ScalingPolicy(PolicyType.PODS, 1, 120),), stabilization_window_seconds=180),
)


class PolicyName(StrEnum):
    """The operator's own policy and the baselines."""

    GEMMA = "gemma"
    HPA_WAITING = "hpa-waiting"
    KEDA_WAITING = "keda-waiting"
    LLM_D = "llm-d"
    SLO_AWARE = "slo-aware"


def named(name: PolicyName) -> tuple[Callable[..., tuple[Decision, Any]], Callable[[], Any]]:
    """A policy and what makes its first state."""
    policies: dict[PolicyName, tuple[Callable[..., tuple[Decision, Any]], Callable[[], Any]]] = {
        PolicyName.GEMMA: (policy.decide, policy.State),
        PolicyName.HPA_WAITING: (hpa_waiting, HpaState),
        PolicyName.KEDA_WAITING: (keda_waiting, HpaState),
        PolicyName.LLM_D: (llm_d, HpaState),
        PolicyName.SLO_AWARE: (slo_aware, SloState),
    }
    return policies[name]


def hpa_waiting(settings: Settings, fleet: Fleet, state: HpaState) -> tuple[Decision, HpaState]:
    """vLLM production-stack's HPA: an Object metric, requests waiting, ``Value`` 1."""
    samples = _samples(fleet)
    waiting = sum(sample.waiting for sample in samples)
    wanted = value_target(waiting, 1.0, fleet) if samples and math.isfinite(waiting) else None
    return synced(DEFAULT, settings, fleet, state, wanted, f"{waiting:.0f} waiting")


def keda_waiting(settings: Settings, fleet: Fleet, state: HpaState) -> tuple[Decision, HpaState]:
    """vLLM production-stack's ScaledObject: requests waiting, threshold 5. Without data KEDA reads 0."""
    waiting = _or_zero(sum(sample.waiting for sample in _samples(fleet)))
    wanted = average_target(waiting, KEDA_WAITING, fleet)
    return synced(DEFAULT, settings, fleet, state, wanted, f"{waiting:.0f} waiting")


def llm_d(settings: Settings, fleet: Fleet, state: HpaState) -> tuple[Decision, HpaState]:
    """llm-d's KEDA guide: queue 1, running 16, the larger; beyond the size, pods that load are taken off."""
    queue = _or_zero(sum(sample.waiting for sample in _samples(fleet)))
    running = _or_zero(sum(sample.running for sample in _samples(fleet)))
    demand = max(queue, running / LLM_D_RUNNING)
    if demand > fleet.replicas:
        demand = max(demand - len(fleet.in_state(PodState.LOADING)), fleet.replicas)
    wanted = average_target(demand, 1.0, fleet)
    return synced(DEFAULT, settings, fleet, state, wanted, f"{queue:.0f} waiting, {running:.0f} running")


@dataclass(frozen=True, slots=True)
class SloState:
    """The HPA's state, the newest page of each pod, and the pressures of the last 45 s."""

    hpa: HpaState = field(default_factory=HpaState)
    pages: tuple[tuple[str, Sample], ...] = ()
    pressures: tuple[tuple[float, float], ...] = ()


def slo_aware(settings: Settings, fleet: Fleet, state: SloState) -> tuple[Decision, SloState]:
    """llm-d's SLO-aware guide: grow above 0.55 of the targets at P90, shrink below 0.40; credit for loading pods."""
    before = dict(state.pages)
    pages = tuple((pod.uid, pod.sample) for pod in fleet.pods if pod.sample is not None)
    flows = [one for uid, page in pages if uid in before and (one := flow(before[uid], page)) is not None]
    since = fleet.now_seconds - SLO_AVERAGED_SECONDS
    recent = tuple(one for one in state.pressures if one[0] > since)
    if flows:
        recent = (*recent, (fleet.now_seconds, min(SLO_MOST, _pressure(settings, flows))))
    if not recent:
        decision, hpa = synced(SLO_BEHAVIOR, settings, fleet, state.hpa, None, "no latency seen")
        return decision, SloState(hpa, pages, recent)
    pressure = sum(value for _, value in recent) / len(recent)
    size = fleet.replicas
    credit = len(fleet.in_state(PodState.SERVING)) / size
    wanted = size
    if pressure * credit > SLO_UP:
        wanted += math.ceil(size * (pressure * credit / SLO_UP - 1))
    elif pressure < SLO_DOWN:
        wanted -= math.floor(size * (1 - pressure / SLO_DOWN))
    decision, hpa = synced(SLO_BEHAVIOR, settings, fleet, state.hpa, wanted, f"P90 at {pressure:.2f} of its target")
    return decision, replace(state, hpa=hpa, pages=pages, pressures=recent)


def _pressure(settings: Settings, flows: list[Flow]) -> float:
    first = quantile(_summed([one.time_to_first_token_seconds for one in flows]), 0.9)
    between = quantile(_summed([one.inter_token_seconds for one in flows]), 0.9)
    return max(first / settings.time_to_first_token_seconds, between / settings.inter_token_seconds)


def _summed(histograms: list[Histogram]) -> Histogram:
    columns = zip(*(histogram.buckets for histogram in histograms), strict=True)
    buckets = tuple((column[0][0], sum(count for _, count in column)) for column in columns)
    return Histogram(buckets, sum(histogram.sum for histogram in histograms))


def _samples(fleet: Fleet) -> list[Sample]:
    return [pod.sample for pod in fleet.pods if pod.sample is not None]


def _or_zero(value: float) -> float:
    return value if math.isfinite(value) else 0.0
