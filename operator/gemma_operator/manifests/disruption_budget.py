"""The PodDisruptionBudget: at most one serving engine is evicted at a time.

The selector has the serving label: over all pods, drained ones would count and the last serving one could go.
"""

from gemma_operator.manifests.owner import KubeObject, Owner


def disruption_budget(owner: Owner) -> KubeObject:
    """maxUnavailable, never minAvailable: one replica must not block a node drain for ever."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": owner.metadata(),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": owner.serving_selector},
        },
    }
