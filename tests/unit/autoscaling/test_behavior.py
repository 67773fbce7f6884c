"""The behavior block means what it means to a HorizontalPodAutoscaler."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.autoscaling.behavior import Moment, limited, settled, stabilized
from gemma_operator.autoscaling.decision import Limit
from gemma_operator.autoscaling.settings import (
    SCALE_DOWN,
    Behavior,
    PolicyType,
    ScalingPolicy,
    ScalingRules,
    SelectPolicy,
)

PERCENT, PODS = PolicyType.PERCENT, PolicyType.PODS


def rules(*policies: tuple[PolicyType, int, int], select: SelectPolicy = SelectPolicy.MAX, window: int = 0) -> Behavior:
    one = ScalingRules(tuple(ScalingPolicy(*policy) for policy in policies), window, select)
    return Behavior(one, one)


@pytest.mark.parametrize(
    ("current", "desired", "expected"),
    [(4, 20, 8), (4, 5, 5), (10, 1, 6), (1, 0, 0)],
)
def test_the_larger_change_wins_with_max(current: int, desired: int, expected: int) -> None:
    behavior = rules((PERCENT, 10, 60), (PODS, 4, 60))
    assert limited(behavior, desired, current, (), 100)[0] == expected


def test_the_smaller_change_wins_with_min() -> None:
    behavior = rules((PERCENT, 10, 60), (PODS, 4, 60), select=SelectPolicy.MIN)
    assert limited(behavior, 50, 20, (), 100) == (22, Limit.SCALE_UP_RATE)
    assert limited(behavior, 1, 20, (), 100) == (18, Limit.SCALE_DOWN_RATE)


@pytest.mark.parametrize("desired", [1, 9])
def test_disabled_moves_nothing(desired: int) -> None:
    behavior = rules((PODS, 4, 60), select=SelectPolicy.DISABLED)
    assert limited(behavior, desired, 5, (), 100)[0] == 5


def test_changes_of_the_period_count_against_its_limit() -> None:
    behavior = rules((PODS, 4, 60))
    recent = (Moment(70, 3),)
    assert limited(behavior, 20, 8, recent, 100)[0] == 9
    assert limited(behavior, 20, 8, recent, 131)[0] == 12


def test_the_down_window_takes_the_most_of_its_recommendations() -> None:
    behavior = Behavior(scale_down=replace(SCALE_DOWN, stabilization_window_seconds=300))
    past = (Moment(0, 9), Moment(200, 6))
    assert stabilized(behavior, 2, 9, past, 250) == 9
    assert stabilized(behavior, 2, 9, past, 310) == 6
    assert stabilized(behavior, 2, 9, past, 600) == 2


def test_the_up_window_takes_the_least_of_its_recommendations() -> None:
    behavior = rules((PODS, 100, 60), window=60)
    assert stabilized(behavior, 9, 3, (Moment(50, 4),), 100) == 4
    assert stabilized(behavior, 9, 3, (Moment(50, 4),), 111) == 9


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 20), st.integers(1, 100))
def test_a_limit_never_turns_the_direction(current: int, desired: int, pods: int, percent: int) -> None:
    after, _ = limited(rules((PODS, pods, 60), (PERCENT, percent, 60)), desired, current, (), 100)
    assert min(current, desired) <= after <= max(current, desired)


def test_what_takes_longer_to_start_is_kept_longer_unless_a_window_is_set() -> None:
    def window(behavior: Behavior, start: float, burst: float = 1.0) -> int | None:
        return settled(behavior, start, burst).scale_down.stabilization_window_seconds

    assert window(Behavior(), 20) == 60
    assert window(Behavior(), 300) == 210
    assert window(Behavior(), 300, burst=5.0) == 420
    as_set = Behavior(scale_down=replace(SCALE_DOWN, stabilization_window_seconds=300))
    assert window(as_set, 20) == window(as_set, 900) == 300
