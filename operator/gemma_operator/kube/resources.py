"""The kinds that the operator touches, and their paths on the API server.

The list is the operator's whole reach: the chart's roles are compared with it.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

JsonObject = dict[str, Any]
"""A Kubernetes object or a part of one, as JSON gives it."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind: group (empty for core), version, plural and kind."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The ``apiVersion`` of an object of this kind."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of a collection, an object or a sub-resource.

        >>> DEPLOYMENTS.path("team", "assistant", "scale")
        '/apis/apps/v1/namespaces/team/deployments/assistant/scale'
        """
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if namespace is not None and self.namespaced:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name is not None:
            parts.append(quote(name, safe=""))
        if subresource is not None:
            parts.append(subresource)
        return "/".join(parts)


GEMMA_DEPLOYMENTS = Resource("gemma-operator.io", "v1alpha1", "gemmadeployments", "GemmaDeployment")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
CONTROLLER_REVISIONS = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
PODS = Resource("", "v1", "pods", "Pod")
SERVICES = Resource("", "v1", "services", "Service")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
POD_DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)

APPLIED = (
    DEPLOYMENTS,
    CONTROLLER_REVISIONS,
    SERVICES,
    SERVICE_ACCOUNTS,
    CONFIG_MAPS,
    POD_DISRUPTION_BUDGETS,
    NETWORK_POLICIES,
)
"""Kinds that a GemmaDeployment may own."""


def resource_of(obj: JsonObject) -> Resource:
    """The resource of an object that a builder made; ``ValueError`` for a kind that the operator never applies."""
    for resource in APPLIED:
        if (resource.api_version, resource.kind) == (obj.get("apiVersion"), obj.get("kind")):
            return resource
    raise ValueError(f"{obj.get('apiVersion')} {obj.get('kind')} is not a kind that a GemmaDeployment owns")
