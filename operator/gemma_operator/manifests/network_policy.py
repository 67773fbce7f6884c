"""The NetworkPolicy of engine pods: who may ask, and whom the engine may ask.

In: the same namespace, the operator, and namespaces that are labelled for monitoring. Out: nothing when weights are
on a volume; DNS and HTTPS when they come from the Hub.
"""

from gemma_operator.api import labels
from gemma_operator.manifests.owner import KubeObject, Owner

MONITORING_LABEL = f"{labels.GROUP}/monitoring"


def network_policy(owner: Owner, fetches_weights: bool) -> KubeObject:
    """The policy; ``fetches_weights`` opens DNS and HTTPS."""
    operator = {
        "namespaceSelector": {},
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
                    "from": [{"podSelector": {}}, operator, monitoring],
                    "ports": [{"port": "http", "protocol": "TCP"}],
                }
            ],
            "egress": egress,
        },
    }
