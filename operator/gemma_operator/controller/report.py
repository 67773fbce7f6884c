"""Writes the status where it differs, and posts an Event where a condition's reason did.

A condition keeps its transition time while its status stays; a status that says the same is not written.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gemma_operator.api.clip import clip_status
from gemma_operator.api.conditions import ConditionType, Reason
from gemma_operator.api.labels import API_VERSION, KIND
from gemma_operator.controller.measures import Measures
from gemma_operator.controller.status import Line
from gemma_operator.kube.apply import FieldManager
from gemma_operator.kube.client import Client
from gemma_operator.kube.events import EventType, Notice, Recorder
from gemma_operator.kube.resources import GEMMA_DEPLOYMENTS, JsonObject
from gemma_operator.telemetry.metrics import Metrics

BAD_WHEN_TRUE = frozenset({ConditionType.STALLED, ConditionType.DEGRADED})
TOLD = frozenset({ConditionType.READY, ConditionType.DEGRADED, ConditionType.CONTEXT_HONORED})
QUIET = frozenset({Reason.AS_EXPECTED, Reason.CONTEXT_UNKNOWN})
MEANT = frozenset({Reason.PAUSED, Reason.STARTING, Reason.ROLLING_OUT, Reason.PROGRESSING, Reason.PULLING_IMAGE})
"""Not ready, and nothing to warn of."""


class Reporter:
    """Reports for one operator process."""

    def __init__(self, client: Client, recorder: Recorder, metrics: Metrics) -> None:
        self._client = client
        self._recorder = recorder
        self.measures = Measures(metrics)

    async def report(self, live: JsonObject, lines: Sequence[Line], fields: dict[str, Any]) -> None:
        """Write the status if it says something new, then the Events and the gauges."""
        old = live.get("status") or {}
        generation = int(live["metadata"]["generation"])
        status = clip_status(fields | {"conditions": merged(lines, old.get("conditions") or (), generation, _now())})
        if status != old:
            await self._write(live, status)
            await self._tell(live, lines, old.get("conditions") or ())
        self.measures.said(live, lines, fields)

    async def _write(self, live: JsonObject, status: dict[str, Any]) -> None:
        meta = live["metadata"]
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "status": status,
        }
        await self._client.apply(GEMMA_DEPLOYMENTS, body, manager=FieldManager.STATUS, subresource="status")

    async def _tell(self, live: JsonObject, lines: Sequence[Line], old: Sequence[JsonObject]) -> None:
        before = {item.get("type"): (item.get("status"), item.get("reason")) for item in old}
        told: set[str] = set()
        for line in lines:
            changed = before.get(line.type.value) != (line.status, line.reason.value)
            if line.type not in TOLD or not changed or line.reason in QUIET or line.reason in told:
                continue
            told.add(line.reason)
            bad = (line.status == "True") == (line.type in BAD_WHEN_TRUE)
            kind = EventType.WARNING if bad and line.reason not in MEANT else EventType.NORMAL
            await self._recorder.post(live, Notice(kind, line.reason, line.type.value, line.message))


def merged(lines: Sequence[Line], old: Sequence[JsonObject], generation: int, now: str) -> list[dict[str, Any]]:
    """Conditions with their times: the old one where the status is the same."""
    before = {item.get("type"): item for item in old}
    result = []
    for line in lines:
        known = before.get(line.type.value, {})
        same = known.get("status") == line.status
        result.append(
            {
                "type": line.type.value,
                "status": line.status,
                "reason": line.reason.value,
                "message": line.message,
                "lastTransitionTime": known.get("lastTransitionTime", now) if same else now,
                "observedGeneration": generation,
            }
        )
    return result


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
