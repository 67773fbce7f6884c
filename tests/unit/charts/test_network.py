"""The evaluator of NetworkPolicies does what the Kubernetes API reference says of each part of one."""

from typing import Any

import pytest

from tests.unit.charts.network import Outside, Pod, lets_through, matches

WEB = Pod("shop", {"app": "web"}, {"http": 8080})
DATABASE = Pod("shop", {"app": "database"})
STRANGER = Pod("other", {"app": "web"}, namespace_labels={"team": "red"})
API = Outside("203.0.113.9")


def policy(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop"}, "spec": {"podSelector": {"matchLabels": {"app": "web"}}, **spec}}


def test_a_pod_that_no_policy_selects_is_open() -> None:
    assert lets_through([], API, WEB, 8080)
    assert lets_through([policy(ingress=[])], WEB, DATABASE, 5432)
    assert lets_through([policy(ingress=[])], API, STRANGER, 8080)


def test_an_empty_list_of_rules_closes_and_an_empty_rule_opens() -> None:
    assert not lets_through([policy(ingress=[])], DATABASE, WEB, 8080)
    assert lets_through([policy(ingress=[{}])], API, WEB, 8080)
    assert lets_through([policy(ingress=[]), policy(ingress=[{}])], API, WEB, 8080)


def test_without_types_egress_is_closed_only_where_a_rule_for_it_is_given() -> None:
    assert lets_through([policy(ingress=[])], WEB, API, 443)
    assert not lets_through([policy(egress=[{"ports": [{"port": 53}]}])], WEB, API, 443)
    assert not lets_through([policy(policyTypes=["Egress"])], WEB, API, 443)
    assert lets_through([policy(policyTypes=["Egress"])], DATABASE, WEB, 8080)


@pytest.mark.parametrize(
    ("peer", "who"),
    [
        ({"podSelector": {}}, {"DATABASE"}),
        ({"podSelector": {"matchLabels": {"app": "web"}}}, set()),
        ({"namespaceSelector": {}}, {"DATABASE", "STRANGER"}),
        ({"namespaceSelector": {"matchLabels": {"team": "red"}}}, {"STRANGER"}),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}, {"STRANGER"}),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "database"}}}, {"DATABASE"}),
        ({"ipBlock": {"cidr": "203.0.113.0/24"}}, {"API"}),
        ({"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.8/30"]}}, set()),
    ],
)
def test_a_peer_is_who_its_selectors_say(peer: dict[str, Any], who: set[str]) -> None:
    ends = {"DATABASE": DATABASE, "STRANGER": STRANGER, "API": API}
    closed = [policy(ingress=[{"from": [peer]}])]
    assert {name for name, end in ends.items() if lets_through(closed, end, WEB, 8080)} == who


@pytest.mark.parametrize(
    ("port", "open_ports"),
    [
        ({"port": 80}, [("TCP", 80)]),
        ({"port": 80, "endPort": 90}, [("TCP", 80), ("TCP", 85)]),
        ({"port": "http"}, [("TCP", 8080)]),
        ({"port": "other-name"}, []),
        ({"port": 80, "protocol": "UDP"}, [("UDP", 80)]),
        ({"protocol": "UDP"}, [("UDP", 80), ("UDP", 85), ("UDP", 8080)]),
    ],
)
def test_a_port_is_a_number_a_range_or_a_name_of_the_target(
    port: dict[str, Any], open_ports: list[tuple[str, int]]
) -> None:
    closed = [policy(ingress=[{"ports": [port]}])]
    tried = [(protocol, number) for protocol in ("TCP", "UDP") for number in (80, 85, 8080)]
    assert [pair for pair in tried if lets_through(closed, API, WEB, pair[1], pair[0])] == open_ports


def test_expressions_of_a_selector_hold_all_together() -> None:
    exists, absent = {"key": "a", "operator": "Exists"}, {"key": "b", "operator": "DoesNotExist"}
    among, not_among = (
        {"key": "a", "operator": "In", "values": ["1"]},
        {"key": "a", "operator": "NotIn", "values": ["2"]},
    )
    assert matches({"matchExpressions": [exists, absent, among, not_among]}, {"a": "1"})
    for expression in (exists, among):
        assert not matches({"matchExpressions": [expression]}, {})
    assert not matches({"matchExpressions": [absent]}, {"b": "1"})
    assert not matches({"matchExpressions": [not_among]}, {"a": "2"})
