"""Who may reach an engine and whom it may reach, by evaluating the rendered policy as a network plugin would."""

from dataclasses import dataclass
from typing import Any

import pytest

from gemma_operator.manifests.network_policy import network_policy
from tests.unit.manifests.examples import OWNER, hub_plan, hub_settings, template

TEMPLATE = template(hub_plan(), hub_settings())
LABELS: dict[str, str] = TEMPLATE["metadata"]["labels"]
PORTS = {port["name"]: port["containerPort"] for port in TEMPLATE["spec"]["containers"][0]["ports"]}


@dataclass(frozen=True)
class Peer:
    """A pod of some namespace."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()
    namespace_labels: tuple[tuple[str, str], ...] = ()


OPERATOR = Peer("gemma-system", (("app.kubernetes.io/name", "gemma-operator"),))
CLIENT = Peer("team", (("app", "chat"),))
MONITORING = Peer("monitoring", (("app", "prometheus"),), (("gemma-operator.io/monitoring", "true"),))
STRANGER = Peer("other", (("app", "chat"),))


def matches(selector: dict[str, Any], labels: tuple[tuple[str, str], ...]) -> bool:
    assert selector.keys() <= {"matchLabels"}, "the evaluation knows no expressions"
    return selector.get("matchLabels", {}).items() <= dict(labels).items()


def is_peer(rule: dict[str, Any], peer: Peer) -> bool:
    """Without a namespace selector a pod selector means the policy's own namespace."""
    in_namespace = (
        matches(rule["namespaceSelector"], peer.namespace_labels)
        if "namespaceSelector" in rule
        else peer.namespace == OWNER.namespace
    )
    return in_namespace and matches(rule.get("podSelector", {}), peer.labels)


def on_port(rule: dict[str, Any], number: int, protocol: str) -> bool:
    if "ports" not in rule:
        return True
    return any(
        PORTS.get(port["port"], port["port"]) == number and port["protocol"] == protocol for port in rule["ports"]
    )


def may_enter(peer: Peer, number: int = 8000) -> bool:
    spec = network_policy(OWNER, fetches_weights=False)["spec"]
    assert "Ingress" in spec["policyTypes"]
    return any(
        on_port(rule, number, "TCP") and any(is_peer(source, peer) for source in rule["from"])
        for rule in spec["ingress"]
    )


def may_leave(number: int, protocol: str, fetches_weights: bool) -> bool:
    spec = network_policy(OWNER, fetches_weights=fetches_weights)["spec"]
    assert "Egress" in spec["policyTypes"]
    return any(on_port(rule, number, protocol) for rule in spec["egress"])


def test_the_policy_holds_for_serving_and_drained_engines() -> None:
    selector = network_policy(OWNER, True)["spec"]["podSelector"]["matchLabels"]
    assert selector.items() <= LABELS.items()
    assert "gemma-operator.io/serving" not in selector


@pytest.mark.parametrize("peer", [OPERATOR, CLIENT, MONITORING], ids=["operator", "client", "monitoring"])
def test_operator_clients_and_monitoring_reach_the_engine(peer: Peer) -> None:
    assert may_enter(peer)


def test_nobody_else_does() -> None:
    assert not may_enter(STRANGER)


def test_only_the_engines_port_is_open() -> None:
    assert not may_enter(CLIENT, 22)


@pytest.mark.parametrize(("number", "protocol"), [(443, "TCP"), (53, "UDP"), (53, "TCP"), (80, "TCP"), (6443, "TCP")])
def test_with_weights_on_a_volume_nothing_leaves(number: int, protocol: str) -> None:
    assert not may_leave(number, protocol, fetches_weights=False)


@pytest.mark.parametrize(
    ("number", "protocol", "open_"),
    [(443, "TCP", True), (53, "UDP", True), (53, "TCP", True), (80, "TCP", False), (443, "UDP", False)],
)
def test_weights_from_the_hub_need_names_and_https_only(number: int, protocol: str, open_: bool) -> None:
    assert may_leave(number, protocol, fetches_weights=True) is open_
