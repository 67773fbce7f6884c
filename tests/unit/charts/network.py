"""Says what NetworkPolicies let through, by the rules of the Kubernetes API reference.

No plug-in of the local cluster enforces them, so that a mistake would stay green there. A pod that no policy selects
for a direction is open in it; one that is selected gets what any of its policies allows. Both ends must agree.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Policy = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """An end inside the cluster. ``ports`` are the named ports of its containers."""

    namespace: str
    labels: Mapping[str, str]
    ports: Mapping[str, int] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outside:
    """An end that is no pod: the API server, a node, the Internet."""

    address: str


End = Pod | Outside


def lets_through(policies: Sequence[Policy], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection gets from ``source`` to that port of ``target``."""
    return _agrees(policies, "Egress", source, target, target, port, protocol) and _agrees(
        policies, "Ingress", target, source, target, port, protocol
    )


def _agrees(
    policies: Sequence[Policy], direction: str, end: End, other: End, target: End, port: int, protocol: str
) -> bool:
    """Whether ``end`` takes part in it; ``other`` is whom it talks to."""
    if isinstance(end, Outside):
        return True
    selecting = [policy["spec"] for policy in policies if direction in _types(policy["spec"]) and _selects(policy, end)]
    if not selecting:
        return True
    rules, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    return any(
        _peer(rule.get(peers), other, end.namespace) and _port(rule.get("ports"), target, port, protocol)
        for spec in selecting
        for rule in spec.get(rules) or ()
    )


def _types(spec: Mapping[str, Any]) -> list[str]:
    return list(spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]))


def _selects(policy: Policy, pod: Pod) -> bool:
    return policy["metadata"]["namespace"] == pod.namespace and matches(policy["spec"]["podSelector"], pod.labels)


def _peer(peers: list[dict[str, Any]] | None, other: End, own_namespace: str) -> bool:
    """No list, or an empty one, is everybody."""
    return not peers or any(_is_peer(peer, other, own_namespace) for peer in peers)


def _is_peer(peer: dict[str, Any], other: End, own_namespace: str) -> bool:
    if "ipBlock" in peer:
        return isinstance(other, Outside) and _within(peer["ipBlock"], other.address)
    if isinstance(other, Outside):
        return False
    if "namespaceSelector" in peer:
        in_place = matches(peer["namespaceSelector"], other.namespace_labels | _own_name(other.namespace))
    else:
        in_place = other.namespace == own_namespace
    return in_place and matches(peer.get("podSelector") or {}, other.labels)


def _own_name(namespace: str) -> dict[str, str]:
    """The API server puts it on every namespace."""
    return {"kubernetes.io/metadata.name": namespace}


def _within(block: dict[str, Any], address: str) -> bool:
    inside = [ipaddress.ip_address(address) in ipaddress.ip_network(cidr) for cidr in block.get("except") or ()]
    return ipaddress.ip_address(address) in ipaddress.ip_network(block["cidr"]) and not any(inside)


def _port(ports: list[dict[str, Any]] | None, target: End, port: int, protocol: str) -> bool:
    return not ports or any(rule.get("protocol", "TCP") == protocol and _is_port(rule, target, port) for rule in ports)


def _is_port(rule: dict[str, Any], target: End, port: int) -> bool:
    wanted = rule.get("port")
    if isinstance(wanted, str):
        return isinstance(target, Pod) and target.ports.get(wanted) == port
    return wanted is None or wanted <= port <= rule.get("endPort", wanted)


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches everything."""
    exact = (selector.get("matchLabels") or {}).items() <= dict(labels).items()
    return exact and all(_holds(expression, labels) for expression in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or ()
    outcomes = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return outcomes[expression["operator"]]
