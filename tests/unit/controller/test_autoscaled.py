"""What scaling does to the status and to the Deployment: Ready and Progressing stay, whoever scales."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.controller.situations import Situation, a_deployment, fields, pod, short, state_of

COMPLETE = [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]
INTERNAL = {"minReplicas": 1, "maxReplicas": 6}
EXTERNAL = {"mode": "External"}


def serving(autoscaling: dict[str, Any], replicas: int = 2) -> Situation:
    """Rolled out once, with that many replicas ready."""
    situation = a_deployment(autoscaling=autoscaling, replicas=replicas).recorded(pinned=True)
    return situation.deployed(ready=replicas, deployment_conditions=COMPLETE)


def scaled(situation: Situation, replicas: int, generation: int = 7) -> Situation:
    """Somebody has written the Deployment's replicas; its controller has not acted yet."""
    assert situation.deployment is not None
    spec = situation.deployment["spec"] | {"replicas": replicas}
    metadata = situation.deployment["metadata"] | {"generation": generation}
    return replace(situation, deployment=situation.deployment | {"spec": spec, "metadata": metadata})


def loading(situation: Situation, count: int) -> Situation:
    more = tuple(pod(f"new-{n}", situation.digest, ready=False) for n in range(count))
    return replace(situation, pods=(*situation.pods, *more))


def drained(situation: Situation) -> Situation:
    first, *others = situation.pods
    return replace(situation, pods=(replace(first, serving=False, drain_deadline=9e9), *others))


@pytest.mark.parametrize("change", [lambda s: scaled(s, 4), lambda s: loading(scaled(s, 4), 2), drained])
def test_ready_and_progressing_stay_while_the_operator_scales(change: Any) -> None:
    assert short(change(serving(INTERNAL)), "Ready", "Available", "Progressing") == {
        "Ready": "True/Serving",
        "Available": "True/Serving",
        "Progressing": "False/RolledOut",
    }


def test_ready_stays_while_somebody_else_scales() -> None:
    asked = replace(serving(EXTERNAL), spec={"contextLength": "64K", "autoscaling": EXTERNAL, "replicas": 4})
    assert short(loading(asked, 2), "Ready", "Progressing") == {
        "Ready": "True/Serving",
        "Progressing": "False/RolledOut",
    }


def test_without_autoscaling_more_replicas_are_waited_for() -> None:
    asked = replace(a_deployment(replicas=2).serving(), spec={"contextLength": "64K", "replicas": 4})
    assert short(asked, "Ready") == {"Ready": "False/Progressing"}


def test_an_advisory_autoscaler_changes_nothing_about_ready() -> None:
    advisory = {"mode": "Advisory", "maxReplicas": 6}
    situation = loading(a_deployment(autoscaling=advisory, replicas=2).recorded(pinned=True).deployed(ready=1), 1)
    assert short(situation, "Ready") == {"Ready": "False/Starting"}


def test_fewer_than_the_least_number_are_not_ready() -> None:
    situation = serving(INTERNAL | {"minReplicas": 2})
    first, *others = situation.pods
    situation = replace(situation, pods=(replace(first, ready=False), *others))
    assert short(situation, "Ready", "Available") == {"Ready": "False/Starting", "Available": "True/Serving"}


def test_a_roll_out_of_an_autoscaled_fleet_is_waited_for() -> None:
    """The template is applied, the Deployment's status is still that of the one before."""
    situation = serving(INTERNAL)
    old = tuple(replace(one, template_digest="before") for one in situation.pods)
    situation = scaled(replace(situation, pods=old), 2)
    assert short(situation, "Ready") == {"Ready": "False/RollingOut"}


def test_the_wanted_number_is_where_scaling_has_come_to_less_what_drains() -> None:
    assert state_of(scaled(serving(INTERNAL), 5)).desired == 5
    assert state_of(drained(serving(INTERNAL))).desired == 1
    assert fields(drained(serving(INTERNAL)))["summary"]["ready"] == "1/1"


@pytest.mark.parametrize(("replicas", "first"), [(1, 2), (3, 3), (9, 4)])
def test_the_first_number_is_the_specs_within_bounds(replicas: int, first: int) -> None:
    situation = a_deployment(autoscaling={"minReplicas": 2, "maxReplicas": 4}, replicas=replicas)
    assert situation.seen.desired_replicas == situation.seen.replicas_to_write == first


@pytest.mark.parametrize(("live", "written"), [(1, 3), (2, 3), (3, None), (5, None)])
def test_a_first_number_that_was_never_written_is_written_and_takes_no_replica_away(
    live: int, written: int | None
) -> None:
    """The API server makes a Deployment without a number one of 1, which nobody owns."""
    situation = scaled(serving(INTERNAL, replicas=3), live)
    assert situation.deployment is not None
    unowned = replace(situation, deployment=situation.deployment | {"metadata": {"generation": 1}})
    assert unowned.seen.replicas_to_write == written
    assert unowned.seen.desired_replicas == (written or live)
    assert situation.seen.replicas_to_write is None
