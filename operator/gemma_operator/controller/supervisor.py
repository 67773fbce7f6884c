"""Leads while the Lease is held: starts the pump, the workers and the resync, and keeps the pump alive.

Called by ``main``. kopf ends on many failed watches; it is started again in process within five seconds, because a
process that exits at once meets CrashLoopBackOff. After five failures in a row the process gives up. This class is
also what the probes ask.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from gemma_operator.controller.inbox import Inbox
from gemma_operator.controller.pump import Pump
from gemma_operator.controller.queue import Key, Reconcile, WorkQueue
from gemma_operator.controller.watches import Scope, permitted_watches
from gemma_operator.kube.client import Client
from gemma_operator.kube.connection import Credentials
from gemma_operator.kube.election import Election
from gemma_operator.kube.errors import ApiError, NotFoundError
from gemma_operator.kube.resources import GEMMA_DEPLOYMENTS, LEASES, JsonObject
from gemma_operator.telemetry.metrics import CONTROLLER, Metrics

logger = logging.getLogger(__name__)
CANARY_SECONDS = 60.0
RESYNC_SECONDS = 300.0
"""Shortest time between two rounds of all keys; the longest is twice that."""
CATALOG_SECONDS = 30.0
_PUMP_FAILURES = 5
_PUMP_BACKOFF_SECONDS = 5.0
_PUMP_STABLE_SECONDS = 60.0


class PumpFailedError(Exception):
    """The event pump failed five times in a row; only a new process can help."""


class Supervisor:
    """One operator process: the leading task, and health as the probes see it."""

    def __init__(
        self,
        client: Client,
        credentials: Callable[[], Awaitable[Credentials]],
        election: Election,
        scope: Scope,
        metrics: Metrics,
        *,
        workers: int = 8,
        resync_seconds: float = RESYNC_SECONDS,
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._election = election
        self._scope = scope
        self._metrics = metrics
        self._workers = workers
        self._resync_seconds = resync_seconds
        self._leading_since: float | None = None
        self._inbox: Inbox | None = None
        self._canary_works = True
        self._problem = ""

    async def lead(
        self,
        reconcile: Reconcile,
        *,
        forget_nodes: Callable[[], None],
        catalog_changed: Callable[[], Awaitable[bool]],
        scale: Callable[[Callable[[Key], None]], Awaitable[None]] | None = None,
    ) -> None:
        """Everything that happens while the Lease is held. Ends by cancellation, or with ``PumpFailedError``.

        ``scale`` is the scaling loop; it is told how to have a key reconciled.
        """
        queue = WorkQueue(self._metrics)
        inbox = Inbox(queue, self._all_keys, forget_nodes=forget_nodes)
        self._inbox, self._leading_since = inbox, asyncio.get_running_loop().time()
        self._metrics.leader.labels(CONTROLLER).set(1)
        self._metrics.canary_age_seconds.set_function(self._canary_age)
        tasks = [
            asyncio.create_task(self._keep_pumping(inbox), name="event pump"),
            asyncio.create_task(self._resync(queue), name="resync"),
            asyncio.create_task(self._poll_catalog(inbox, catalog_changed), name="catalog"),
            *([asyncio.create_task(_scale(scale, queue), name="scaling")] if scale else []),
            *(asyncio.create_task(queue.work(reconcile), name=f"worker {n}") for n in range(self._workers)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            inbox.close()
            queue.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._inbox, self._leading_since, self._problem = None, None, ""
            self._metrics.leader.labels(CONTROLLER).set(0)
            self._metrics.forget_objects()

    def not_alive(self) -> str:
        """The leader is alive while its own Lease comes through the watch; a standby always is."""
        age = self._canary_age()
        if not self._canary_works or age < CANARY_SECONDS:
            return ""
        return f"the event pump has delivered nothing for {age:.0f} s"

    def not_ready(self) -> str:
        """A standby is ready once it has seen who leads, the leader once its watches have begun."""
        if self._leading_since is None:
            return "" if self._election.holder else "nobody has been seen to lead yet"
        if self._problem:
            return self._problem
        begun = self._inbox is not None and self._inbox.canary_at is not None
        return "" if begun or not self._canary_works else "the watches have not begun"

    def _canary_age(self) -> float:
        if self._leading_since is None:
            return 0.0
        last = self._inbox.canary_at if self._inbox else None
        return asyncio.get_running_loop().time() - (last or self._leading_since)

    async def _keep_pumping(self, inbox: Inbox) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            started = loop.time()
            try:
                await self._pump_once(inbox)
                logger.warning("The event pump ended by itself")
            except NotFoundError:
                self._problem = "the GemmaDeployment CRD is not installed"
                logger.error("The GemmaDeployment CRD is not installed, trying again in %.0f s", _PUMP_BACKOFF_SECONDS)
                await asyncio.sleep(_PUMP_BACKOFF_SECONDS)
                continue
            except Exception as error:  # kopf raises whatever its watches met
                logger.warning("The event pump failed: %s: %s", type(error).__name__, error)
            failures = 1 if loop.time() - started > _PUMP_STABLE_SECONDS else failures + 1
            if failures >= _PUMP_FAILURES:
                raise PumpFailedError(f"the event pump failed {failures} times in a row")
            await asyncio.sleep(min(_PUMP_BACKOFF_SECONDS, 0.5 * 2**failures))

    async def _pump_once(self, inbox: Inbox) -> None:
        await self._all_keys()  # raises NotFoundError without the CRD: kopf would idle in silence
        self._problem = ""
        permitted = await permitted_watches(self._client, self._scope)
        if GEMMA_DEPLOYMENTS not in permitted:
            self._problem = "the service account may not list and watch gemmadeployments"
            raise PermissionError(self._problem)
        self._canary_works = LEASES in permitted
        self._metrics.pump_starts_total.inc()
        await Pump(self._credentials, permitted, self._scope, inbox).run()

    async def _poll_catalog(self, inbox: Inbox, changed: Callable[[], Awaitable[bool]]) -> None:
        """A few ConfigMaps of one namespace. kopf could only watch those of all, which is not ours to ask."""
        while True:
            try:
                if await changed():
                    inbox.catalog_changed()
            except ApiError as error:
                logger.warning("The catalog's ConfigMaps were not read: %s", error)
            await asyncio.sleep(CATALOG_SECONDS)

    async def _resync(self, queue: WorkQueue) -> None:
        """Every key comes round, spread over a fifth of the period, whatever the watches have missed."""
        period = self._resync_seconds
        while True:
            await asyncio.sleep(random.uniform(period, 2 * period))  # noqa: S311 - spreads load, no secret
            try:
                for key in await self._all_keys():
                    queue.add_after(key, random.uniform(0, period / 5))  # noqa: S311
            except ApiError as error:
                logger.warning("Resync did not list GemmaDeployments: %s", error)

    async def _all_keys(self) -> list[Key]:
        def key(obj: JsonObject) -> Key:
            return Key(obj["metadata"]["namespace"], obj["metadata"]["name"])

        return [
            found
            for namespace in self._scope.namespaces or (None,)
            for found in await self._client.list_all(GEMMA_DEPLOYMENTS, namespace, project=key)
        ]


async def _scale(scale: Callable[[Callable[[Key], None]], Awaitable[None]], queue: WorkQueue) -> None:
    await scale(queue.add)
