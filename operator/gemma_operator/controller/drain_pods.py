"""Takes engine pods out of their Service and back, each by one patch that only ever reaches that very pod.

Called by the scaling loop with what ``autoscaling.drain`` decided, and by reconcile for pods that nobody drains any
more. The label is in no ReplicaSet selector, so the pod stays owned and nothing takes its place. The deletion cost is
written once, with the label: Kubernetes warns of frequent updates.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from gemma_operator.api.labels import DELETION_COST_ANNOTATION, DRAIN_DEADLINE_ANNOTATION, SERVING_LABEL
from gemma_operator.controller.pod_facts import PodFacts
from gemma_operator.kube.apply import FieldManager
from gemma_operator.kube.client import Client
from gemma_operator.kube.errors import NotFoundError
from gemma_operator.kube.resources import PODS

DRAINED_COST = "-1000"


async def start_draining(client: Client, namespace: str, pods: Iterable[PodFacts], deadline_seconds: float) -> None:
    """No new requests from the Service; its middleware closes connections once it sees that the label is gone."""
    deadline = datetime.fromtimestamp(deadline_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    notes = {DRAIN_DEADLINE_ANNOTATION: deadline, DELETION_COST_ANNOTATION: DRAINED_COST}
    for pod in pods:
        await _patch(client, namespace, pod, None, notes)


async def stop_draining(client: Client, namespace: str, pods: Iterable[PodFacts]) -> None:
    """Back into service."""
    notes = {DRAIN_DEADLINE_ANNOTATION: None, DELETION_COST_ANNOTATION: None}
    for pod in pods:
        await _patch(client, namespace, pod, "true", notes)


async def _patch(
    client: Client, namespace: str, pod: PodFacts, serving: str | None, annotations: Mapping[str, str | None]
) -> None:
    """A pod that is gone needs nothing; one of the same name with another UID is refused by the server."""
    change: dict[str, Any] = {
        "metadata": {"uid": pod.uid, "labels": {SERVING_LABEL: serving}, "annotations": dict(annotations)}
    }
    try:
        await client.patch(PODS, namespace, pod.name, change, manager=FieldManager.DRAIN)
    except NotFoundError:
        return
