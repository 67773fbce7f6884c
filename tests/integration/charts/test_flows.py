"""Who reaches whom, by the policies that the chart renders and those that the operator makes.

No plug-in of the local cluster enforces policies, so that they are evaluated here, both ends of every flow.
"""

import functools
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gemma_operator.manifests.network_policy import MONITORING_LABEL, network_policy
from tests.integration.charts.helm import one, render
from tests.unit.charts.network import End, Outside, Pod, lets_through
from tests.unit.manifests.examples import OWNER, claim_plan, claim_settings, template

pytestmark = pytest.mark.integration

MONITORING_ONLY: dict[str, Any] = {
    "networkPolicy": {
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "apiServerPorts": [16443],
    }
}


def pod_of(item: dict[str, Any], namespace: str) -> Pod:
    """A pod as a template makes it."""
    made = item["spec"].get("template", item)
    ports = [port for container in made["spec"]["containers"] for port in container.get("ports") or ()]
    return Pod(namespace, made["metadata"]["labels"], {port["name"]: port["containerPort"] for port in ports})


@functools.cache
def ends() -> dict[str, End]:
    """Who takes part, by the names that the flows use."""
    chart = render()
    engine = pod_of(template(claim_plan(), claim_settings()), OWNER.namespace)
    serving = "gemma-operator.io/serving"
    return {
        "operator": pod_of(one(chart, "Deployment"), "gemma-system"),
        "helm test": pod_of(one(chart, "Job"), "gemma-system"),
        "engine": engine,
        "drained engine": replace(engine, labels={k: v for k, v in engine.labels.items() if k != serving}),
        "client": Pod(OWNER.namespace, {"app": "chat"}, {"http": 8000}),
        "stranger": Pod("other-team", {"app": "chat"}),
        "who poses as the operator": Pod("other-team", {"app.kubernetes.io/name": "gemma-operator"}),
        "Prometheus": Pod("monitoring", {"app.kubernetes.io/name": "prometheus"}, {}, {MONITORING_LABEL: "true"}),
        "Prometheus elsewhere": Pod("observability", {"app.kubernetes.io/name": "prometheus"}),
        "DNS": Pod("kube-system", {"k8s-app": "kube-dns"}),
        "API server": Outside("192.0.2.10"),
        "Internet": Outside("203.0.113.80"),
        "cloud metadata": Outside("169.254.169.254"),
    }


@dataclass(frozen=True)
class Flow:
    """A connection, and whether it is to get through. ``fetches``: the engine's weights come from the Hub."""

    source: str
    target: str
    port: int
    passes: bool
    protocol: str = "TCP"
    fetches: bool = False

    def __str__(self) -> str:
        fetching = "fetching " if self.fetches else ""
        return f"{fetching}{self.source} to {self.target}, {self.protocol} {self.port}"


FLOWS = [
    Flow("operator", "API server", 6443, True),
    Flow("operator", "API server", 443, True),
    Flow("operator", "DNS", 53, True, "UDP"),
    Flow("operator", "engine", 8000, True),
    Flow("operator", "drained engine", 8000, True),
    Flow("operator", "engine", 22, False),
    Flow("operator", "client", 8000, False),
    Flow("operator", "Internet", 80, False),
    Flow("operator", "cloud metadata", 80, False),
    Flow("Prometheus", "operator", 8080, True),
    Flow("Prometheus", "operator", 9090, False),
    Flow("Prometheus", "engine", 8000, True),
    Flow("Prometheus elsewhere", "engine", 8000, False),
    Flow("helm test", "operator", 8080, True),
    Flow("helm test", "API server", 443, True),
    Flow("helm test", "Internet", 80, False),
    Flow("stranger", "helm test", 8080, False),
    Flow("client", "engine", 8000, True),
    Flow("client", "drained engine", 8000, True),
    Flow("client", "engine", 22, False),
    Flow("stranger", "engine", 8000, False),
    Flow("who poses as the operator", "engine", 8000, False),
    Flow("Internet", "engine", 8000, False),
    Flow("engine", "API server", 6443, False),
    Flow("engine", "Internet", 443, False),
    Flow("engine", "DNS", 53, False, "UDP"),
    Flow("engine", "operator", 8080, False),
    Flow("engine", "engine", 8000, False),
    Flow("engine", "client", 8000, False),
    Flow("drained engine", "Internet", 443, False),
    Flow("engine", "Internet", 443, True, fetches=True),
    Flow("engine", "DNS", 53, True, "UDP", fetches=True),
    Flow("engine", "Internet", 80, False, fetches=True),
    Flow("engine", "cloud metadata", 80, False, fetches=True),
    Flow("engine", "operator", 8080, False, fetches=True),
]
FLOWS_WITH_MONITORING_ONLY = [
    Flow("Prometheus", "operator", 8080, True),
    Flow("stranger", "operator", 8080, False),
    Flow("helm test", "operator", 8080, True),
    Flow("operator", "API server", 16443, True),
    Flow("operator", "API server", 443, False),
    Flow("helm test", "API server", 16443, True),
]


def gets_through(flow: Flow, chart: list[dict[str, Any]]) -> bool:
    policies = [item for item in chart if item["kind"] == "NetworkPolicy"]
    engines = network_policy(OWNER, flow.fetches, "gemma-system")
    return lets_through([*policies, engines], ends()[flow.source], ends()[flow.target], flow.port, flow.protocol)


@pytest.fixture(scope="module")
def chart() -> list[dict[str, Any]]:
    return render()


@pytest.fixture(scope="module")
def for_monitoring_only() -> list[dict[str, Any]]:
    return render(MONITORING_ONLY)


@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_a_flow_passes_or_not_with_the_defaults(flow: Flow, chart: list[dict[str, Any]]) -> None:
    assert gets_through(flow, chart) is flow.passes


@pytest.mark.parametrize("flow", FLOWS_WITH_MONITORING_ONLY, ids=str)
def test_a_flow_passes_or_not_when_metrics_are_for_monitoring_only(
    flow: Flow, for_monitoring_only: list[dict[str, Any]]
) -> None:
    assert gets_through(flow, for_monitoring_only) is flow.passes


def test_without_the_charts_policies_only_those_of_engines_hold_anything_back() -> None:
    chart = render({"networkPolicy": {"enabled": False}})
    for flow in FLOWS:
        of_an_engine = flow.source.endswith("engine") or flow.target.endswith("engine")
        assert gets_through(flow, chart) is (flow.passes if of_an_engine else True), flow
