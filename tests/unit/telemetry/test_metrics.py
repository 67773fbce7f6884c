"""Metrics belong to one process, have known names, and go when their object goes."""

from gemma_operator import __version__
from gemma_operator.api.conditions import ConditionType, Reason
from gemma_operator.telemetry.metrics import CONTROLLER, Metrics

KNOWN = {
    "controller_runtime_reconcile_total",
    "controller_runtime_reconcile_errors_total",
    "workqueue_depth",
    "workqueue_queue_duration_seconds",
    "leader_election_master_status",
    "rest_client_requests_total",
    "gemma_condition",
    "gemma_ready_replicas",
}


def names() -> set[str]:
    return {metric.name for metric in Metrics().declared()}


def test_known_dashboards_find_their_names() -> None:
    assert names() >= KNOWN


def test_the_page_shows_what_is_declared_and_nothing_else() -> None:
    exposed = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in Metrics().registry.collect()
        if not family.name.startswith("process_")
    }
    assert exposed == names()


def test_a_label_with_closed_values_has_its_series_before_anything_happens() -> None:
    """The first error counts as an increase only if a zero was scraped before it."""
    page = Metrics().page().decode()
    assert 'controller_runtime_reconcile_total{controller="gemmadeployment",result="error"} 0.0' in page
    assert 'gemma_plans_total{result="impossible"} 0.0' in page
    assert "gemma_condition{" not in page


def test_a_condition_has_one_reason_at_a_time() -> None:
    metrics = Metrics()
    metrics.set_condition("team", "a", ConditionType.READY, 0, Reason.STARTING)
    metrics.set_condition("team", "a", ConditionType.READY, 1, Reason.SERVING)
    lines = [line for line in metrics.page().decode().splitlines() if line.startswith("gemma_condition_reason{")]
    assert lines == ['gemma_condition_reason{name="a",namespace="team",reason="Serving",type="Ready"} 1.0']


def test_the_version_is_on_the_page() -> None:
    assert f'gemma_operator_build_info{{version="{__version__}"}} 1.0' in Metrics().page().decode()


def test_two_operators_in_one_process_do_not_add_up() -> None:
    one, other = Metrics(), Metrics()
    one.leader.labels(CONTROLLER).set(1)
    assert 'leader_election_master_status{name="gemmadeployment"} 1.0' in one.page().decode()
    assert 'leader_election_master_status{name="gemmadeployment"} 0.0' in other.page().decode()


def test_the_series_of_a_deleted_object_go() -> None:
    metrics = Metrics()
    metrics.ready_replicas.labels("team", "a").set(2)
    metrics.condition.labels("team", "a", "Ready").set(1)
    metrics.ready_replicas.labels("team", "b").set(1)
    metrics.forget("team", "a")
    page = metrics.page().decode()
    assert 'name="a"' not in page
    assert 'gemma_ready_replicas{name="b",namespace="team"} 1.0' in page


def test_the_page_counts_the_memory_of_the_process() -> None:
    assert "process_resident_memory_bytes" in Metrics().page().decode()


def test_the_series_of_an_object_that_is_no_longer_scaled_go() -> None:
    metrics = Metrics()
    for name in ("a", "b"):
        metrics.autoscaler_desired.labels("team", name).set(2)
        metrics.autoscaler_pods.labels("team", name, "Serving").set(2)
        metrics.autoscaler_rescales_total.labels("team", name, "up").inc()
        metrics.condition.labels("team", name, "ScalingActive").set(1)
    metrics.forget_autoscaler("team", "a")
    page = metrics.page().decode()
    assert 'name="a"' not in page
    assert 'gemma_autoscaler_desired_replicas{name="b",namespace="team"} 2.0' in page
    assert 'gemma_autoscaler_pods{name="b",namespace="team",state="Serving"} 2.0' in page


def test_a_process_that_leads_no_more_says_nothing_of_any_object() -> None:
    """The new leader may see another truth: the maximum over both would hide it."""
    metrics = Metrics()
    metrics.begin("team", "a")
    metrics.set_condition("team", "a", ConditionType.CONTEXT_HONORED, 1, Reason.CONTEXT_HONORED)
    metrics.reconcile_total.labels(CONTROLLER, "success").inc()
    metrics.forget_objects()
    page = metrics.page().decode()
    assert 'namespace="team"' not in page
    assert 'controller_runtime_reconcile_total{controller="gemmadeployment",result="success"} 1.0' in page
    assert metrics.begin("team", "a")
