"""The ControllerRevision that holds a plan record."""

from gemma_operator.api import labels
from gemma_operator.manifests.owner import KubeObject, Owner
from gemma_operator.planning.record import PlanRecord

PINNED_ANNOTATION = f"{labels.GROUP}/pinned"
"""Set once a pod of this plan was Ready: from then on inventory changes move nothing."""

FAILED_ANNOTATION = f"{labels.GROUP}/failed"
"""Set when a plan did not start within its budget, so that the last good one is taken back; says what was last seen."""

OVERHEAD_ANNOTATION = f"{labels.GROUP}/overhead-bytes"
"""The overhead inside vLLM's share that the first cold boot showed, in bytes of one GPU."""


def plan_revision(owner: Owner, record: PlanRecord, revision: int) -> KubeObject:
    """The record as an object, named by its content. Its data never changes; the newest revision counts."""
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": owner.metadata(f"{owner.name}-plan-{record.name_suffix}"),
        "revision": revision,
        "data": record.data(),
    }
