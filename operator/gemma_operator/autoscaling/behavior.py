"""``behavior`` of HPA v2, with its meaning verbatim: stabilization windows, and limits per period.

Follows kubernetes/pkg/controller/podautoscaler/horizontal.go (stabilizeRecommendationWithBehaviors and
calculateScaleUp/DownLimitWithScalingRules); tolerance is the policy's, which knows the ratio.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gemma_operator.autoscaling.decision import Limit
from gemma_operator.autoscaling.settings import Behavior, PolicyType, ScalingPolicy, ScalingRules, SelectPolicy

HELD_STARTS = 0.7
"""Cold starts for which a size that isn't needed is kept, when no window is set. To keep a replica for one start costs
what starting it again would; most of what is kept isn't needed again so soon."""

WAVY_BURST = 2.5
"""Above it a stream's waves make the window longer, in proportion."""

LEAST_WINDOW_SECONDS, MOST_WINDOW_SECONDS = 60, 3600
"""Shorter, and the window would follow the noise of the means; the most is that of the API."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A recommendation (replicas) or a change (difference of replicas) at a time."""

    at_seconds: float
    replicas: int


def settled(behavior: Behavior, start_seconds: float, burst: float = 1.0) -> Behavior:
    """With the scale-down window that is not set: it goes by what it takes to start again what was given away.

    ``burst`` is the variance of the arrivals over that of a Poisson stream: what comes in waves comes back.
    """
    if behavior.scale_down.stabilization_window_seconds is not None:
        return behavior
    held = math.ceil(HELD_STARTS * start_seconds * max(1.0, burst / WAVY_BURST))
    window = min(max(held, LEAST_WINDOW_SECONDS), MOST_WINDOW_SECONDS)
    return replace(behavior, scale_down=replace(behavior.scale_down, stabilization_window_seconds=window))


def stabilized(behavior: Behavior, wanted: int, current: int, past: Sequence[Moment], now: float) -> int:
    """The recommendation after both windows: the least of the up window, the most of the down window."""
    up, down = behavior.scale_up, behavior.scale_down
    least = min([wanted, *_within(past, now, up.stabilization_window_seconds or 0)])
    most = max([wanted, *_within(past, now, down.stabilization_window_seconds or 0)])
    return min(max(current, least), most)


def limited(behavior: Behavior, desired: int, current: int, changes: Sequence[Moment], now: float) -> tuple[int, Limit]:
    """The size that the policies of the direction allow at this moment, and what it was that limited it."""
    if desired > current:
        allowed = max(current, _up_limit(behavior.scale_up, current, changes, now))
        return (desired, Limit.NONE) if desired <= allowed else (allowed, Limit.SCALE_UP_RATE)
    if desired < current:
        allowed = min(current, _down_limit(behavior.scale_down, current, changes, now))
        return (desired, Limit.NONE) if desired >= allowed else (allowed, Limit.SCALE_DOWN_RATE)
    return desired, Limit.NONE


def longest_seconds(behavior: Behavior) -> float:
    """How far back anything is asked for."""
    rules = (behavior.scale_up, behavior.scale_down)
    periods = [policy.period_seconds for rule in rules for policy in rule.policies]
    return float(max([rule.stabilization_window_seconds or 0 for rule in rules] + periods))


def _within(moments: Sequence[Moment], now: float, window_seconds: int) -> list[int]:
    return [moment.replicas for moment in moments if moment.at_seconds > now - window_seconds]


def _at_start(policy: ScalingPolicy, current: int, changes: Sequence[Moment], now: float) -> int:
    return current - sum(_within(changes, now, policy.period_seconds))


def _up_limit(rules: ScalingRules, current: int, changes: Sequence[Moment], now: float) -> int:
    if rules.select_policy is SelectPolicy.DISABLED or not rules.policies:
        return current
    proposals = []
    for policy in rules.policies:
        start = _at_start(policy, current, changes, now)
        percent = policy.type is PolicyType.PERCENT
        proposals.append(math.ceil(start * (1 + policy.value / 100)) if percent else start + policy.value)
    return min(proposals) if rules.select_policy is SelectPolicy.MIN else max(proposals)


def _down_limit(rules: ScalingRules, current: int, changes: Sequence[Moment], now: float) -> int:
    if rules.select_policy is SelectPolicy.DISABLED or not rules.policies:
        return current
    proposals = []
    for policy in rules.policies:
        start = _at_start(policy, current, changes, now)
        percent = policy.type is PolicyType.PERCENT
        proposals.append(int(start * (1 - policy.value / 100)) if percent else start - policy.value)
    return max(proposals) if rules.select_policy is SelectPolicy.MIN else min(proposals)
