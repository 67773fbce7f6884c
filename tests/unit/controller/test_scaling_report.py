"""What users read of the autoscaler: conditions as an HPA words them, and numbers that do not rustle."""

import pytest

from gemma_operator.autoscaling.decision import Limit
from gemma_operator.controller.fleet_view import FleetView
from gemma_operator.controller.scaling_report import Outcome, ScalingReport, scaling_report
from tests.unit.controller.scaling_views import decision, engine, view

TWO = view(engine("a"), engine("b"))


def words(report: ScalingReport) -> dict[str, str]:
    return {line.type.value: f"{line.status}/{line.reason.value}" for line in report.lines}


def report(seen: FleetView = TWO, outcome: Outcome | None = None, **changes: object) -> ScalingReport:
    return scaling_report(decision(**changes), seen, outcome or Outcome())


def message(found: ScalingReport, kind: str) -> str:
    return next(line.message for line in found.lines if line.type == kind)


def test_all_is_well() -> None:
    assert words(report()) == {
        "ScalingActive": "True/ValidMetricFound",
        "AbleToScale": "True/ReadyForNewScale",
        "ScalingLimited": "False/DesiredWithinRange",
    }


def test_the_status_shows_queue_depth_and_tokens_always_with_what_decided() -> None:
    seen = view(engine("a"), engine("b", ready=False), engine("c", serving=False, drain_deadline=1.0))
    assert report(seen).fields == {
        "mode": "Internal",
        "desired": 2,
        "ready": 1,
        "loading": 1,
        "draining": 1,
        "queueDepth": 3,
        "tokensPerSecond": 1900,
        "capacityTokensPerSecond": 950,
        "capacitySource": "Learned",
        "coldStartSeconds": 119,
        "reason": "Demand of 1,874 tokens/s",
    }


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (Limit.TOO_FEW, "True/TooFewReplicas"),
        (Limit.TOO_MANY, "True/TooManyReplicas"),
        (Limit.SCALE_UP_RATE, "True/ScaleUpLimit"),
        (Limit.SCALE_DOWN_RATE, "True/ScaleDownLimit"),
        (Limit.NO_DATA, "True/FailedGetPodsMetric"),
        (Limit.ROLLING_OUT, "True/RollingOut"),
        (Limit.STABILIZED, "False/DesiredWithinRange"),
        (Limit.NONE, "False/DesiredWithinRange"),
    ],
)
def test_every_limit_has_its_word(limit: Limit, said: str) -> None:
    assert words(report(limit=limit))["ScalingLimited"] == said


def test_the_stabilization_window_shows_where_an_hpa_shows_it() -> None:
    assert words(report(limit=Limit.STABILIZED))["AbleToScale"] == "True/ScaleDownStabilized"


def test_an_autoscaler_that_sees_nothing_says_so_with_the_number_of_engines() -> None:
    found = report(blind=True)
    assert words(found)["ScalingActive"] == "False/FailedGetPodsMetric"
    assert "none of 2 ready engines" in message(found, "ScalingActive")


def test_engines_that_only_kubelet_reaches_point_to_a_network_policy() -> None:
    two = (engine("a"), engine("b"))
    uids = frozenset(one.uid for one in two)
    found = report(view(*two, unreached=uids), blind=True)
    assert words(found)["ScalingActive"] == "False/ScrapeBlocked"
    assert "NetworkPolicy team/assistant" in message(found, "ScalingActive")
    one_of_them = report(view(*two, unreached=frozenset(sorted(uids)[:1])), blind=True)
    assert words(one_of_them)["ScalingActive"] == "False/FailedGetPodsMetric"


def test_an_advisory_autoscaler_is_not_active_but_shows_what_it_wants() -> None:
    found = report(outcome=Outcome(advisory=True), desired=5)
    assert words(found)["ScalingActive"] == "False/Advisory"
    assert (found.fields["mode"], found.fields["desired"]) == ("Advisory", 5)


def test_a_foreign_scaler_comes_before_everything_else() -> None:
    found = report(outcome=Outcome(foreign="kubectl wrote 7 replicas"), blind=True)
    assert words(found)["ScalingActive"] == "False/ForeignScaler"


def test_what_was_done_and_what_could_not_be_done() -> None:
    assert words(report(outcome=Outcome(rescaled=3)))["AbleToScale"] == "True/SucceededRescale"
    assert words(report(outcome=Outcome(failure="403")))["AbleToScale"] == "False/FailedUpdateScale"


def test_a_drain_under_way_is_said() -> None:
    found = report(view(engine("a"), engine("b", serving=False, drain_deadline=1.0)))
    assert message(found, "AbleToScale") == "1 replica ends its last requests before leaving"


def test_a_pod_that_waits_too_long_is_named_with_the_reason() -> None:
    lost = engine("b", age=400, ready=False, unschedulable="0/3 nodes are available: 3 Insufficient nvidia.com/gpu.")
    found = report(view(engine("a"), lost), overdue_pods=1)
    assert words(found)["ScalingLimited"] == "True/PodsOverdue"
    said = message(found, "ScalingLimited")
    assert "400 s" in said
    assert "pod b: 0/3 nodes are available" in said


def test_a_pod_within_three_cold_starts_is_no_trouble() -> None:
    young = engine("b", age=300, ready=False)
    assert words(report(view(engine("a"), young)))["ScalingLimited"] == "False/DesiredWithinRange"


def test_numbers_that_move_all_the_time_are_no_news() -> None:
    before, after = report(), report(queue_depth=9.0, tokens_per_second=2100.0, reason="Demand of 2,100 tokens/s")
    assert before.news == after.news
    assert before.fields != after.fields
    assert report(desired=3).news != before.news
    assert report(limit=Limit.TOO_MANY).news != before.news
