"""The NetworkPolicy of engine pods: who may ask, and whom the engine may ask.

In: the callers that the spec names, by default the same namespace; the operator, in its own namespace alone; and
namespaces that are labelled for monitoring. Out: nothing when weights are on a volume; DNS and HTTPS when they come
from the Hub.
"""

from gemma_operator.api import labels
from gemma_operator.api.v1alpha1.access import Access, Callers
from gemma_operator.manifests.owner import KubeObject, Owner

MONITORING_LABEL = f"{labels.GROUP}/monitoring"
NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
"""On every namespace, by the API server; nobody can give it another value."""


def network_policy(
    owner: Owner, fetches_weights: bool, operator_namespace: str, access: Access | None = None
) -> KubeObject:
    """The policy; ``fetches_weights`` opens DNS and HTTPS, ``access`` says who may call."""
    operator = {
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME_LABEL: operator_namespace}},
        "podSelector": {"matchLabels": {labels.NAME_LABEL: labels.MANAGED_BY}},
    }
    monitoring = {"namespaceSelector": {"matchLabels": {MONITORING_LABEL: "true"}}}
    egress = []
    if fetches_weights:
        egress = [
            {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
            {"ports": [{"port": 443, "protocol": "TCP"}]},
        ]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": owner.metadata(),
        "spec": {
            "podSelector": {"matchLabels": owner.selector},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [*_callers(access), operator, monitoring],
                    "ports": [{"port": "http", "protocol": "TCP"}],
                }
            ],
            "egress": egress,
        },
    }


def _callers(access: Access | None) -> list[KubeObject]:
    if access is None or access.callers is None:
        return [{"podSelector": {}}]
    return [_peer(callers) for callers in access.callers]


def _peer(callers: Callers) -> KubeObject:
    selectors = {"namespaceSelector": callers.namespace_selector, "podSelector": callers.pod_selector}
    return {
        key: {"matchLabels": dict(selector.match_labels)} if selector.match_labels else {}
        for key, selector in selectors.items()
        if selector is not None
    }
