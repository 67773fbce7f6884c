"""Runs a leading task while this process holds the Lease.

Called by the supervisor, once per process. A failed or refused request is a failed renewal, never an exception.
At the renew deadline the leading task is cancelled, whatever the network does; on a clean stop the Lease is
released. ``holds`` is the fence that the client asks before every write.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gemma_operator.kube import lease
from gemma_operator.kube.apply import FieldManager
from gemma_operator.kube.client import Client
from gemma_operator.kube.errors import ApiError
from gemma_operator.kube.lease import LeaseRecord, LeaseState
from gemma_operator.kube.resources import LEASES, JsonObject

logger = logging.getLogger(__name__)
_REQUEST_SECONDS = 5.0
LeadingTask = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class LeaseName:
    """Where the Lease lives."""

    namespace: str
    name: str


class Election:
    """One candidate. ``identity`` must be unique in time: pod name and UID."""

    def __init__(self, client: Client, where: LeaseName, identity: str) -> None:
        self._client = client
        self._where = where
        self._state = LeaseState(identity)
        self._live: JsonObject | None = None

    def holds(self) -> bool:
        """Whether this process may act at this moment."""
        return lease.holds(self._state, asyncio.get_running_loop().time())

    @property
    def holder(self) -> str:
        """Who leads, as far as we have seen; empty before the first answer or after a release."""
        return self._state.record.holder if self._state.record else ""

    async def run(self, lead: LeadingTask, stop: asyncio.Event) -> None:
        """Campaign and lead in turns until ``stop`` is set. An exception of the leading task is passed on."""
        try:
            while not stop.is_set():
                await self._attempt()
                if self.holds():
                    await self._lead(lead, stop)
                else:
                    await _pause(stop)
        finally:
            await self._release()

    async def _lead(self, lead: LeadingTask, stop: asyncio.Event) -> None:
        logger.info("Started leading as %s", self._state.identity)
        leading = asyncio.create_task(lead(), name="leading")
        renewing = asyncio.create_task(self._renew_until_lost(), name="renewing the Lease")
        stopping = asyncio.create_task(stop.wait(), name="waiting for stop")
        try:
            await asyncio.wait({leading, renewing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not leading.done():
                logger.info("Stopped leading" if stop.is_set() else "Lost the Lease: stopped acting")
        finally:
            # The Lease is renewed until the leading task has ended: its last write is still under our lead.
            for task in (leading, stopping):
                task.cancel()
            await asyncio.wait({leading})
            renewing.cancel()
            await asyncio.wait({renewing, stopping})
        if not leading.cancelled():
            leading.result()

    async def _renew_until_lost(self) -> None:
        loop = asyncio.get_running_loop()
        while self._state.renewed_at is not None and self.holds():
            deadline = self._state.renewed_at + lease.RENEW_DEADLINE_SECONDS
            try:
                async with asyncio.timeout_at(deadline):
                    await asyncio.sleep(_retry_seconds())
                    await self._attempt()
            except TimeoutError:
                logger.warning("Did not renew the Lease for %.0f s", loop.time() - deadline + 10)

    async def _attempt(self) -> None:
        """One attempt to acquire or renew. The only place that talks to the server about the Lease."""
        begun_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                if self._live is None or not self.holds():
                    await self._read(begun_at)
                if lease.may_acquire(self._state, begun_at):
                    record = lease.next_record(self._state, _now())
                    await self._write(record)
                    self._state = lease.acquired(self._state, record, begun_at)
        except (ApiError, TimeoutError) as error:
            self._live = None
            logger.debug("Lease not written: %s", error)

    async def _read(self, now: float) -> None:
        self._live = await self._client.find(LEASES, self._where.namespace, self._where.name)
        if self._live is not None:
            self._state = lease.observed(self._state, _record_of(self._live), now)

    async def _write(self, record: LeaseRecord) -> None:
        wanted = _lease(self._where, record, self._live)
        if self._live is None:
            self._live = await self._client.create(LEASES, wanted, manager=FieldManager.LEASE, lease=True)
        else:
            self._live = await self._client.replace(LEASES, wanted, manager=FieldManager.LEASE, lease=True)

    async def _release(self) -> None:
        if not self.holds() or self._live is None:
            return
        record = lease.released_record(self._state, _now())
        self._state = LeaseState(self._state.identity, record)
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                await self._write(record)
        except (ApiError, TimeoutError) as error:
            logger.warning("Lease not released, the next leader waits for it to expire: %s", error)


def _retry_seconds() -> float:
    return lease.retry_after_seconds(random.random())  # noqa: S311 - spreads load, no secret


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_retry_seconds()):
            await stop.wait()
    except TimeoutError:
        return


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _record_of(live: JsonObject) -> LeaseRecord:
    spec = live.get("spec") or {}
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        stamp=spec.get("renewTime") or "",
        duration_seconds=float(spec.get("leaseDurationSeconds") or lease.LEASE_DURATION_SECONDS),
        transitions=int(spec.get("leaseTransitions") or 0),
    )


def _lease(where: LeaseName, record: LeaseRecord, live: JsonObject | None) -> JsonObject:
    metadata: JsonObject = {"namespace": where.namespace, "name": where.name}
    acquire_time = record.stamp
    if live is not None:
        metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
        if record.holder == (live.get("spec") or {}).get("holderIdentity"):
            acquire_time = live["spec"].get("acquireTime") or record.stamp
    return {
        "apiVersion": LEASES.api_version,
        "kind": LEASES.kind,
        "metadata": metadata,
        "spec": {
            "holderIdentity": record.holder,
            "leaseDurationSeconds": int(record.duration_seconds),
            "acquireTime": acquire_time,
            "renewTime": record.stamp,
            "leaseTransitions": record.transitions,
        },
    }
