"""Posts Events (events.k8s.io) about a GemmaDeployment, few and stable.

Called by reconcile when a decision or a condition changed, never once per loop. The name of an Event follows from
its object, reason and note, so that a repetition raises ``series.count`` of the one that exists, also after a
restart of the operator. A failed post is logged and forgotten: Events are news, not state.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from gemma_operator.kube.apply import FieldManager
from gemma_operator.kube.client import Client
from gemma_operator.kube.errors import ApiError, ConflictError
from gemma_operator.kube.resources import EVENTS, JsonObject

logger = logging.getLogger(__name__)
CONTROLLER = "gemma-operator.io/controller"
NOTE_LIMIT_BYTES = 1024
"""The API server counts bytes of UTF-8, not characters."""


class EventType(StrEnum):
    """Kubernetes knows two."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news. ``reason`` comes from the closed list of the api room; ``action`` is what was done."""

    type: EventType
    reason: StrEnum
    action: str
    note: str


class Recorder:
    """Posts notices in the name of one operator process."""

    def __init__(self, client: Client, instance: str) -> None:
        self._client = client
        self._instance = instance[:128]

    async def post(self, regarding: JsonObject, notice: Notice) -> None:
        """Create the Event, or count one more repetition of it."""
        event = _event(regarding, notice, self._instance)
        namespace, name = event["metadata"]["namespace"], event["metadata"]["name"]
        try:
            try:
                await self._client.create(EVENTS, event, manager=FieldManager.EVENTS)
            except ConflictError:
                known = await self._client.get(EVENTS, namespace, name)
                count = int((known.get("series") or {}).get("count", 1)) + 1
                series = {"count": count, "lastObservedTime": event["eventTime"]}
                await self._client.patch(EVENTS, namespace, name, {"series": series}, manager=FieldManager.EVENTS)
        except ApiError as error:
            logger.warning("Event %s was not posted: %s", notice.reason, error)


def _clipped(note: str) -> str:
    """The note within the limit; a cut one ends in ``…``."""
    encoded = note.encode()
    if len(encoded) <= NOTE_LIMIT_BYTES:
        return note
    return encoded[: NOTE_LIMIT_BYTES - len("…".encode())].decode(errors="ignore") + "…"


def _event(regarding: JsonObject, notice: Notice, instance: str) -> JsonObject:
    meta = regarding["metadata"]
    note = _clipped(notice.note)
    digest = hashlib.sha256("\n".join((meta["uid"], notice.reason, note)).encode()).hexdigest()[:16]
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"namespace": meta["namespace"], "name": f"{meta['name']}.{digest}"},
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": CONTROLLER,
        "reportingInstance": instance,
        "type": str(notice.type),
        "reason": str(notice.reason),
        "action": notice.action,
        "note": note,
        "regarding": {
            "apiVersion": regarding["apiVersion"],
            "kind": regarding["kind"],
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
    }
