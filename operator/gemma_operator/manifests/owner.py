"""Who the objects belong to, and what all of them carry: names, labels, owner reference."""

from dataclasses import dataclass
from typing import Any

from gemma_operator.api import labels

KubeObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Owner:
    """A GemmaDeployment as the owner of its objects."""

    namespace: str
    name: str
    uid: str

    @property
    def selector(self) -> dict[str, str]:
        """Labels that select exactly this owner's pods, drained ones included. Never changed: selectors can't be."""
        return {labels.NAME_LABEL: labels.APP_NAME, labels.DEPLOYMENT_LABEL: self.name}

    @property
    def serving_selector(self) -> dict[str, str]:
        """Labels of the pods that take requests."""
        return self.selector | {labels.SERVING_LABEL: "true"}

    def metadata(self, name: str | None = None) -> KubeObject:
        """Metadata of an owned object; garbage collection removes it with the owner."""
        return {
            "name": name or self.name,
            "namespace": self.namespace,
            "labels": self.selector
            | {
                labels.INSTANCE_LABEL: self.name,
                labels.COMPONENT_LABEL: labels.ENGINE_COMPONENT,
                labels.MANAGED_BY_LABEL: labels.MANAGED_BY,
            },
            "ownerReferences": [
                {
                    "apiVersion": labels.API_VERSION,
                    "kind": labels.KIND,
                    "name": self.name,
                    "uid": self.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        }
