"""Who may reach an engine and whom it may reach, by evaluating the rendered policy as a network plug-in would.

The flows between operator, engines and others are in the tests of the charts, where the operator's policy is.
"""

from dataclasses import replace
from typing import Any

import pytest

from gemma_operator.api.v1alpha1.access import Access
from gemma_operator.manifests.network_policy import network_policy
from tests.unit.charts.network import Outside, Pod, lets_through
from tests.unit.manifests.examples import OWNER, hub_plan, hub_settings, template

TEMPLATE = template(hub_plan(), hub_settings())
ENGINE = Pod(
    OWNER.namespace,
    TEMPLATE["metadata"]["labels"],
    {port["name"]: port["containerPort"] for port in TEMPLATE["spec"]["containers"][0]["ports"]},
)
OPERATOR = Pod("gemma-system", {"app.kubernetes.io/name": "gemma-operator"})
CLIENT = Pod(OWNER.namespace, {"app": "chat"})
MONITORING = Pod("monitoring", {"app": "prometheus"}, {}, {"gemma-operator.io/monitoring": "true"})
STRANGER = Pod("other", {"app": "chat"})
INTERNET = Outside("203.0.113.80")


def may_enter(peer: Pod, port: int = 8000) -> bool:
    return lets_through([network_policy(OWNER, False, OPERATOR.namespace)], peer, ENGINE, port)


def may_leave(port: int, protocol: str, *, fetches_weights: bool) -> bool:
    return lets_through([network_policy(OWNER, fetches_weights, OPERATOR.namespace)], ENGINE, INTERNET, port, protocol)


def test_the_policy_holds_for_serving_and_drained_engines() -> None:
    selector = network_policy(OWNER, True, OPERATOR.namespace)["spec"]["podSelector"]["matchLabels"]
    assert selector.items() <= ENGINE.labels.items()
    assert "gemma-operator.io/serving" not in selector


@pytest.mark.parametrize("peer", [OPERATOR, CLIENT, MONITORING], ids=["operator", "client", "monitoring"])
def test_operator_clients_and_monitoring_reach_the_engine(peer: Pod) -> None:
    assert may_enter(peer)


def test_nobody_else_does() -> None:
    assert not may_enter(STRANGER)


def test_nobody_gets_in_by_calling_a_pod_like_the_operator() -> None:
    assert not may_enter(replace(OPERATOR, namespace="other"))


def test_only_the_engines_port_is_open() -> None:
    assert not may_enter(CLIENT, 22)


@pytest.mark.parametrize(("port", "protocol"), [(443, "TCP"), (53, "UDP"), (53, "TCP"), (80, "TCP"), (6443, "TCP")])
def test_with_weights_on_a_volume_nothing_leaves(port: int, protocol: str) -> None:
    assert not may_leave(port, protocol, fetches_weights=False)


@pytest.mark.parametrize(
    ("port", "protocol", "passes"),
    [(443, "TCP", True), (53, "UDP", True), (53, "TCP", True), (80, "TCP", False), (443, "UDP", False)],
)
def test_weights_from_the_hub_need_names_and_https_only(port: int, protocol: str, passes: bool) -> None:
    assert may_leave(port, protocol, fetches_weights=True) is passes


def callers(*peers: dict[str, Any]) -> list[str]:
    """Who gets in when the spec names these."""
    access = Access.model_validate({"from": list(peers)})
    policy = network_policy(OWNER, False, OPERATOR.namespace, access)
    ends = {"operator": OPERATOR, "client": CLIENT, "monitoring": MONITORING, "stranger": STRANGER, "web": INTERNET}
    return [name for name, end in ends.items() if lets_through([policy], end, ENGINE, 8000)]


@pytest.mark.parametrize(
    ("peers", "named"),
    [
        ([], set()),
        ([{"podSelector": {}}], {"client"}),
        ([{"podSelector": {"matchLabels": {"app": "chat"}}}], {"client"}),
        ([{"podSelector": {"matchLabels": {"app": "batch"}}}], set()),
        ([{"namespaceSelector": {}}], {"client", "stranger"}),
        ([{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}], {"stranger"}),
        ([{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "batch"}}}], set()),
    ],
)
def test_the_spec_says_who_calls_and_operator_and_monitoring_always_may(
    peers: list[dict[str, Any]], named: set[str]
) -> None:
    assert set(callers(*peers)) == {"operator", "monitoring"} | named
