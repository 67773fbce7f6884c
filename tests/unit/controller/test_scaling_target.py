"""What reconcile hands to the scaling loop, and what the status says before the loop has looked."""

from dataclasses import replace
from typing import Any

import pytest

from gemma_operator.controller.scaling_report import Outcome, scaling_report
from gemma_operator.controller.scaling_target import scaling_status, scaling_target
from tests.unit.controller.scaling_views import decision, engine, view
from tests.unit.controller.situations import Situation, a_deployment

INTERNAL = {"maxReplicas": 4}
LOOKED = scaling_report(decision(), view(engine("a")), Outcome())


def told(situation: Situation, **status: Any) -> Situation:
    """The status as an earlier process has left it."""
    conditions = [
        {"type": "Ready", "status": "True", "reason": "Serving", "message": "1 of 1"},
        {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "message": "able to calculate"},
    ]
    return replace(situation, status={"conditions": conditions, **status})


def test_an_internal_autoscaler_gets_its_plan_targets_and_drain() -> None:
    situation = a_deployment(autoscaling=INTERNAL, rollout={"drainTimeoutSeconds": 77}).serving()
    target = scaling_target(situation.seen, situation.choice)
    assert target is not None
    assert (target.advisory, target.settings.max_replicas, target.drain_timeout_seconds) == (False, 4, 77)
    assert target.digest == situation.digest


def test_an_advisory_autoscaler_is_followed_and_known_as_such() -> None:
    situation = a_deployment(autoscaling=INTERNAL | {"mode": "Advisory"}).serving()
    target = scaling_target(situation.seen, situation.choice)
    assert target is not None
    assert target.advisory


@pytest.mark.parametrize(
    "spec", [{}, {"autoscaling": {"mode": "External"}}, {"autoscaling": INTERNAL, "planOnly": True}]
)
def test_nothing_is_followed_where_the_operator_does_not_scale(spec: dict[str, Any]) -> None:
    situation = a_deployment(**spec).serving()
    assert scaling_target(situation.seen, situation.choice) is None


def test_nothing_is_followed_before_there_is_a_plan() -> None:
    situation = a_deployment("256K", model={"variant": "E2B"}, autoscaling=INTERNAL)
    assert situation.choice.record is None
    assert scaling_target(situation.seen, situation.choice) is None


def test_the_status_says_what_the_loop_says() -> None:
    found = scaling_status(a_deployment(autoscaling=INTERNAL).serving().seen, LOOKED)
    assert found.lines == LOOKED.lines
    assert found.fields == {"autoscaling": dict(LOOKED.fields)}


def test_after_a_restart_the_status_says_what_it_said() -> None:
    situation = told(a_deployment(autoscaling=INTERNAL).serving(), autoscaling={"mode": "Internal", "desired": 3})
    found = scaling_status(situation.seen, None)
    assert [line.reason for line in found.lines] == ["ValidMetricFound"]
    assert found.fields == {"autoscaling": {"mode": "Internal", "desired": 3}}


def test_after_a_change_of_mode_the_old_words_are_not_repeated() -> None:
    situation = told(a_deployment(autoscaling=INTERNAL).serving(), autoscaling={"mode": "Advisory", "desired": 3})
    found = scaling_status(situation.seen, None)
    assert (found.lines, found.fields) == ((), {"autoscaling": {"mode": "Internal"}})


def test_without_autoscaling_the_status_is_silent_about_it() -> None:
    situation = told(a_deployment().serving(), autoscaling={"mode": "Internal", "desired": 3})
    assert scaling_status(situation.seen, None).fields == {}
    external = a_deployment(autoscaling={"mode": "External"}).serving()
    assert scaling_status(external.seen, LOOKED).fields == {"autoscaling": {"mode": "External"}}
