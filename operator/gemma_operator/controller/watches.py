"""What the operator watches, reduced to what it may watch.

Each watch is registered only after a SelfSubjectAccessReview has allowed it: one forbidden watch would otherwise end
the whole pump. A watch that is left out is said in the log and costs timeliness, not correctness.
"""

import logging
from dataclasses import dataclass

from gemma_operator.kube.client import Client
from gemma_operator.kube.election import LeaseName
from gemma_operator.kube.resources import DEPLOYMENTS, GEMMA_DEPLOYMENTS, LEASES, NODES, PODS, Resource

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the operator works: ``namespaces`` empty means the whole cluster. The label marks what it owns."""

    namespaces: tuple[str, ...]
    owner_label: str
    lease: LeaseName

    def serves(self, namespace: str) -> bool:
        """Whether GemmaDeployments of that namespace are ours."""
        return not self.namespaces or namespace in self.namespaces

    @property
    def lease_in_reach(self) -> bool:
        """Whether the watches cover the Lease; those of one namespace need not be the operator's own."""
        return self.serves(self.lease.namespace)


async def permitted_watches(client: Client, scope: Scope) -> frozenset[Resource]:
    """The resources that this account may list and watch everywhere in its scope."""
    allowed: set[Resource] = set()
    for resource in (GEMMA_DEPLOYMENTS, DEPLOYMENTS, PODS, NODES, LEASES):
        if resource is LEASES and not scope.lease_in_reach:
            continue
        name = scope.lease.name if resource is LEASES else None
        namespaces = scope.namespaces if resource.namespaced and scope.namespaces else (None,)
        verdicts = [
            await client.can_i(verb, resource, namespace, name)
            for namespace in namespaces
            for verb in ("list", "watch")
        ]
        if all(verdicts):
            allowed.add(resource)
        else:
            logger.warning("May not watch %s: changes there are seen at the next resync", resource.plural)
    return frozenset(allowed)
