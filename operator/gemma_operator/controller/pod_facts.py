"""What matters about an engine pod, taken from its object. Pure."""

from dataclasses import dataclass
from datetime import datetime

from gemma_operator.api.labels import DRAIN_DEADLINE_ANNOTATION, PLAN_HASH_ANNOTATION, SERVING_LABEL
from gemma_operator.controller.cluster_source import bound_gpus
from gemma_operator.kube.resources import JsonObject


@dataclass(frozen=True, slots=True)
class PodFacts:
    """One engine pod. ``waiting`` is the sentence of what it waits for, empty once its container runs.

    Times are seconds of the wall clock. ``ready_at`` is when it became ready, ``drain_deadline`` when it goes even if
    requests run; ``None`` where that is not so. ``template_digest`` is ours, ``template_hash`` the Deployment's own: a
    restart by a user changes only the latter.
    """

    name: str
    uid: str
    node: str
    address: str
    template_digest: str
    ready: bool
    serving: bool
    terminating: bool
    unschedulable: str
    waiting: str
    termination_message: str
    restarts: int
    gpus: int
    created_at: float = 0.0
    ready_at: float | None = None
    drain_deadline: float | None = None
    template_hash: str = ""


def pod_facts(pod: JsonObject) -> PodFacts:
    """The facts of a pod object."""
    meta, status = pod["metadata"], pod.get("status") or {}
    conditions = {item["type"]: item for item in status.get("conditions") or ()}
    containers = status.get("containerStatuses") or ()
    annotations = meta.get("annotations") or {}
    scheduled, ready = conditions.get("PodScheduled", {}), conditions.get("Ready", {})
    return PodFacts(
        name=meta["name"],
        uid=meta["uid"],
        node=(pod.get("spec") or {}).get("nodeName") or "",
        address=status.get("podIP") or "",
        template_digest=annotations.get(PLAN_HASH_ANNOTATION, ""),
        ready=ready.get("status") == "True",
        serving=(meta.get("labels") or {}).get(SERVING_LABEL) == "true",
        terminating="deletionTimestamp" in meta,
        unschedulable=str(scheduled.get("message", "")) if scheduled.get("reason") == "Unschedulable" else "",
        waiting=_waiting(containers),
        termination_message=_termination_message(containers),
        restarts=max((int(container.get("restartCount", 0)) for container in containers), default=0),
        gpus=bound_gpus(pod)[1],
        created_at=_seconds(meta.get("creationTimestamp")) or 0.0,
        ready_at=_seconds(ready.get("lastTransitionTime")) if ready.get("status") == "True" else None,
        drain_deadline=_seconds(annotations.get(DRAIN_DEADLINE_ANNOTATION)),
        template_hash=(meta.get("labels") or {}).get("pod-template-hash", ""),
    )


def _seconds(written: str | None) -> float | None:
    """A time as Kubernetes writes it; what somebody else wrote into an annotation may be anything."""
    try:
        return None if written is None else datetime.fromisoformat(written).timestamp()
    except ValueError:
        return 0.0


def _waiting(containers: tuple[JsonObject, ...]) -> str:
    for container in containers:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            message = waiting.get("message") or ""
            return (
                f"{waiting.get('reason', 'Waiting')}: {message}" if message else str(waiting.get("reason", "Waiting"))
            )
    return ""


def _termination_message(containers: tuple[JsonObject, ...]) -> str:
    """What the last container that ended badly left behind."""
    for container in containers:
        for when in ("state", "lastState"):
            ended = (container.get(when) or {}).get("terminated")
            if ended and ended.get("exitCode") != 0:
                return str(ended.get("message") or f"exit code {ended.get('exitCode')}: {ended.get('reason', '')}")
    return ""
