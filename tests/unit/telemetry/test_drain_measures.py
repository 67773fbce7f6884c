"""What a drain did is counted from the scene and the actions that the pure drain chose."""

from gemma_operator.autoscaling.drain import DrainPod, DrainScene, next_actions
from gemma_operator.controller.drain_measures import count_drains
from gemma_operator.manifests.owner import Owner
from gemma_operator.telemetry.metrics import Metrics

OWNER = Owner("team", "assistant", "u-1")


def counted(*pods: DrainPod, desired: int = 1) -> dict[str, float]:
    scene = DrainScene(pods, len(pods), desired, rolling_out=False, now_seconds=100.0)
    metrics = Metrics()
    count_drains(metrics, OWNER, scene, next_actions(scene))
    drains = {
        action: metrics.drains_total.labels("team", "assistant", action)._value.get()
        for action in ("started", "taken_back", "ended")
    }
    return drains | {"cut": metrics.cut_requests_total.labels("team", "assistant")._value.get()}


STAYS = DrainPod("stays", ready=True, serving=True, in_flight=9.0)


def draining(in_flight: float | None, deadline: float) -> DrainPod:
    return DrainPod("goes", ready=True, serving=False, in_flight=in_flight, deadline_seconds=deadline)


def test_a_pod_that_is_taken_out_begins_a_drain_and_cuts_nothing() -> None:
    pods = (STAYS, DrainPod("goes", ready=True, serving=True, in_flight=2.0))
    assert counted(*pods) == {"started": 1, "taken_back": 0, "ended": 0, "cut": 0}


def test_a_pod_that_goes_empty_cuts_nothing() -> None:
    assert counted(STAYS, draining(0.0, 500.0)) == {"started": 0, "taken_back": 0, "ended": 1, "cut": 0}


def test_a_pod_that_goes_at_its_deadline_cuts_what_still_runs() -> None:
    assert counted(STAYS, draining(3.0, 100.0)) == {"started": 0, "taken_back": 0, "ended": 1, "cut": 3}


def test_a_pod_that_is_needed_again_is_taken_back() -> None:
    assert counted(STAYS, draining(3.0, 500.0), desired=2) == {"started": 0, "taken_back": 1, "ended": 0, "cut": 0}
