"""How pods look to the policy and to the drain."""

from datetime import UTC, datetime

from gemma_operator.autoscaling.fleet import PodState
from gemma_operator.controller.fleet_view import foreign_scaler, unclaimed
from tests.unit.controller.scaling_views import CLOCK, engine, view

LABEL_GONE = {"serving": False, "drain_deadline": 11_000.0}


def test_ready_pods_serve_others_load_and_those_without_the_label_drain() -> None:
    seen = view(engine("a"), engine("b", ready=False), engine("c", **LABEL_GONE))
    states = {pod.uid: pod.state for pod in seen.fleet(()).pods}
    assert states == {
        "uid-of-a": PodState.SERVING,
        "uid-of-b": PodState.LOADING,
        "uid-of-c": PodState.DRAINING,
    }


def test_the_size_is_what_the_deployment_asks_for_less_what_drains() -> None:
    assert view(engine("a"), engine("b"), engine("c", **LABEL_GONE)).fleet(()).replicas == 2


def test_age_is_by_the_wall_and_now_by_the_monotonic_clock() -> None:
    fleet = view(engine("a", age=42.0)).fleet((90.0,))
    assert (fleet.now_seconds, fleet.pods[0].age_seconds, fleet.start_seconds) == (500.0, 42.0, (90.0,))


def test_a_pod_that_did_not_tell_has_no_sample_and_unknown_requests() -> None:
    seen = view(engine("a"), engine("b"), telling=["a"])
    assert [pod.sample is None for pod in seen.fleet(()).pods] == [False, True]
    assert [pod.in_flight for pod in seen.scene(2).pods] == [37, None]


def test_a_deployment_that_replaces_pods_is_rolling_out() -> None:
    assert view(engine("a"), rolled_out=False).fleet(()).rolling_out
    assert not view(engine("a")).fleet(()).rolling_out


def wrote(manager: str, seconds_ago: float = 60, field: str = "f:replicas", **more: str) -> dict[str, object]:
    at = datetime.fromtimestamp(CLOCK.wall_seconds - seconds_ago, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"manager": manager, "time": at, "fieldsV1": {"f:spec": {field: {}}}, **more}


def foreign(*fields: dict[str, object]) -> str:
    return foreign_scaler(view(engine("a"), managed_fields=list(fields)))


def test_somebody_else_who_scales_is_named_with_number_time_and_what_to_do() -> None:
    said = foreign(wrote("gemma-operator-replicas"), wrote("kube-controller-manager", subresource="scale"))
    assert said.startswith("kube-controller-manager wrote 1 replicas to the Deployment at 1970-01-01T02:45:40Z")
    assert "autoscaling.mode External" in said


def test_what_somebody_wrote_long_ago_holds_nothing_up() -> None:
    assert foreign(wrote("kubectl", seconds_ago=590)) != ""
    assert foreign(wrote("kubectl", seconds_ago=610)) == ""
    assert foreign(wrote("kubectl") | {"time": "long ago"}) != ""


def test_our_own_writes_and_other_fields_of_others_are_no_foreign_scaling() -> None:
    ours, other = wrote("gemma-operator-replicas"), wrote("kubectl-edit", field="f:paused")
    assert foreign(ours, other, {"manager": "somebody"}) == ""


def test_replicas_that_nobody_owns_are_to_be_claimed() -> None:
    assert unclaimed(view(engine("a"), managed_fields=[wrote("kubectl", field="f:template")]))
    assert not unclaimed(view(engine("a"), managed_fields=[wrote("gemma-operator-replicas")]))
