"""The Deployment of one GemmaDeployment."""

from dataclasses import dataclass

from gemma_operator.manifests.owner import KubeObject, Owner

KEPT_REVISIONS = 3


@dataclass(frozen=True, slots=True)
class Strategy:
    """How pods are replaced: how many more, how many fewer than wanted at a time."""

    max_surge: int
    max_unavailable: int


def deployment(owner: Owner, template: KubeObject, strategy: Strategy, progress_deadline_seconds: int) -> KubeObject:
    """The Deployment without ``replicas``: another field manager owns that."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": owner.metadata(),
        "spec": {
            "selector": {"matchLabels": owner.selector},
            "revisionHistoryLimit": KEPT_REVISIONS,
            "progressDeadlineSeconds": progress_deadline_seconds,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": strategy.max_surge, "maxUnavailable": strategy.max_unavailable},
            },
            "template": template,
        },
    }
