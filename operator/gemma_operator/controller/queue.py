"""The work queue: keys that wait for reconciliation, each at most once, each on one worker at a time.

The pump and the resync add keys; ``work`` runs reconcile for them. A key that changes while it is worked on runs
again afterwards. A failed key waits by ``backoff`` or by the server's Retry-After, whichever is longer.
Lives in one event loop; other threads use ``loop.call_soon_threadsafe``.
"""

import asyncio
import logging
import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gemma_operator.controller.backoff import TokenBucket, backoff_seconds
from gemma_operator.kube.errors import ApiError, NotLeadingError
from gemma_operator.telemetry.logs import log_fields
from gemma_operator.telemetry.metrics import CONTROLLER, Metrics

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One GemmaDeployment by name: what a reconcile is asked for."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


Reconcile = Callable[[Key], Awaitable[float | None]]
"""Brings one key to its wanted state; returns after how many seconds it wants to look again, if at all."""


class WorkQueue:
    """Waiting keys, running keys, and delayed keys."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._waiting: dict[Key, float] = {}
        self._running: set[Key] = set()
        self._again: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._bucket = TokenBucket()

    def __len__(self) -> int:
        return self._ready.qsize() + len(self._running)

    def add(self, key: Key) -> None:
        """Reconcile the key as soon as a worker is free; cancels a delay."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if key in self._running:
            self._again.add(key)
            return
        if key in self._waiting:
            return
        self._waiting[key] = asyncio.get_running_loop().time()
        self._ready.put_nowait(key)
        self._metrics.queue_adds_total.labels(CONTROLLER).inc()
        self._metrics.queue_depth.labels(CONTROLLER).set(self._ready.qsize())

    def add_after(self, key: Key, seconds: float) -> None:
        """Reconcile the key after a delay; of several delays the shortest counts."""
        loop = asyncio.get_running_loop()
        when = loop.time() + seconds
        if timer := self._timers.get(key):
            if timer.when() <= when:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(when, self.add, key)

    def forget(self, key: Key) -> None:
        """Drop the failures and the delay of a key."""
        self._failures.pop(key, None)
        if timer := self._timers.pop(key, None):
            timer.cancel()

    async def work(self, reconcile: Reconcile) -> None:
        """One worker: takes keys and reconciles them until it is cancelled."""
        while True:
            key = await self._take()
            try:
                await self._run(key, reconcile)
            finally:
                self._running.discard(key)
                if key in self._again:
                    self._again.discard(key)
                    self.add(key)

    def close(self) -> None:
        """Cancel all delays; keys that wait stay unworked."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    async def _take(self) -> Key:
        key = await self._ready.get()
        waited = asyncio.get_running_loop().time() - self._waiting.pop(key)
        self._running.add(key)
        self._metrics.queue_wait_seconds.labels(CONTROLLER).observe(waited)
        self._metrics.queue_depth.labels(CONTROLLER).set(self._ready.qsize())
        return key

    async def _run(self, key: Key, reconcile: Reconcile) -> None:
        metrics = self._metrics
        with (
            log_fields(key=str(key), reconcileID=uuid.uuid4().hex[:12]),
            metrics.active_workers.labels(CONTROLLER).track_inprogress(),
            metrics.reconcile_time_seconds.labels(CONTROLLER).time(),
        ):
            try:
                again = await reconcile(key)
            except NotLeadingError as stopped:
                logger.info("Stopped before a write: %s", stopped)
            except Exception as error:  # one key must never end a worker
                self._retry(key, error)
            else:
                self._failures.pop(key, None)
                if again is not None:
                    self.add_after(key, again)
                result = "success" if again is None else "requeue_after"
                metrics.reconcile_total.labels(CONTROLLER, result).inc()

    def _retry(self, key: Key, error: Exception) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self._bucket, bucket_wait = self._bucket.take(asyncio.get_running_loop().time())
        wait = max(backoff_seconds(failures, random.random()), bucket_wait)  # noqa: S311 - spreads load, no secret
        if isinstance(error, ApiError):
            wait = max(wait, error.retry_after_seconds or 0.0)
            logger.warning("Reconcile failed, next attempt in %.3f s: %s", wait, error)
        else:
            logger.exception("Reconcile failed, next attempt in %.3f s", wait)
        self._metrics.reconcile_total.labels(CONTROLLER, "error").inc()
        self._metrics.reconcile_errors_total.labels(CONTROLLER).inc()
        self._metrics.queue_retries_total.labels(CONTROLLER).inc()
        self.add_after(key, wait)
