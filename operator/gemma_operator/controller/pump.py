"""kopf as event pump: it watches, and says to the inbox that something changed. The only module that knows kopf.

Only ``on.event`` handlers are used: no kopf annotation, no finalizer, no patch. kopf runs in a thread with an event
loop of its own, because on its way out it cancels every younger task of its loop and it takes over the signals of
the main thread. Its caches decide nothing: after a re-list it does not report what vanished in the gap, so every
reconcile lists its own children and a resync comes round regardless. Called by ``supervisor``.
"""

import asyncio
import hashlib
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import kopf

from gemma_operator.controller.inbox import Inbox
from gemma_operator.controller.queue import Key
from gemma_operator.controller.watches import Scope
from gemma_operator.kube.connection import Credentials
from gemma_operator.kube.resources import (
    DEPLOYMENTS,
    GEMMA_DEPLOYMENTS,
    LEASES,
    NODES,
    PODS,
    JsonObject,
    Resource,
)

logger = logging.getLogger(__name__)
_STOP_SECONDS = 15.0
# In a thread of its own kopf can't take over signals, which is meant so, and it warns of it at each start.
logging.getLogger("kopf._core.reactor.running").addFilter(lambda record: "OS signals" not in record.getMessage())


def node_fingerprint(node: JsonObject) -> str:
    """A hash of what a plan may depend on: labels, allocatable, taints, cordon, readiness; not of heartbeats."""
    status, spec = node.get("status") or {}, node.get("spec") or {}
    ready = [c.get("status") for c in status.get("conditions") or [] if c.get("type") == "Ready"]
    facts = [node["metadata"].get("labels"), status.get("allocatable"), spec.get("taints"), spec.get("unschedulable")]
    return hashlib.sha256(json.dumps([*facts, ready], sort_keys=True).encode()).hexdigest()


class Pump:
    """One run of kopf over the permitted resources."""

    def __init__(
        self,
        credentials: Callable[[], Awaitable[Credentials]],
        permitted: frozenset[Resource],
        scope: Scope,
        inbox: Inbox,
    ) -> None:
        self._credentials = credentials
        self._permitted = permitted
        self._scope = scope
        self._inbox = inbox
        self._nodes: dict[str, str] = {}
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Pump until cancelled. Returns or raises only if kopf ended by itself: the supervisor starts anew."""
        ended: Future[None] = Future()
        stop = _ThreadStop()
        threading.Thread(target=self._thread, args=(stop, ended), name="kopf", daemon=True).start()
        waiting = asyncio.wrap_future(ended)
        try:
            await asyncio.shield(waiting)
        finally:
            stop.set()
            if not waiting.done():
                await asyncio.wait({waiting}, timeout=_STOP_SECONDS)

    def _thread(self, stop: "_ThreadStop", ended: "Future[None]") -> None:
        try:
            asyncio.run(self._operate(stop))
        except BaseException as error:  # whatever ends the thread is the supervisor's to judge
            ended.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))
        else:
            ended.set_result(None)

    async def _operate(self, stop: "_ThreadStop") -> None:
        asyncio.get_running_loop().set_exception_handler(stop.judge)
        namespaces = self._scope.namespaces
        await kopf.operator(
            registry=self._registry(),
            settings=self._settings(),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stop.bind(),
        )

    def _settings(self) -> kopf.OperatorSettings:
        settings = kopf.OperatorSettings()
        settings.posting.enabled = False
        settings.scanning.disabled = True
        settings.watching.server_timeout = 290
        settings.watching.client_timeout = 310
        settings.watching.connect_timeout = 10
        settings.watching.inactivity_timeout = 70
        settings.watching.chunk_size = 500
        settings.networking.request_timeout = 30
        settings.networking.connect_timeout = 5
        settings.networking.error_backoffs = (1, 2, 4, 8)
        settings.networking.enforce_retry_after = True
        settings.queueing.worker_limit = 64
        # A worker keeps its place until it has been idle for so long; at kopf's 5 s, 64 places let in 13 objects a
        # second, and a thousand nodes would take more than a minute.
        settings.queueing.idle_timeout = 0.1
        settings.process.ultimate_exiting_timeout = None
        settings.persistence.finalizer = f"{GEMMA_DEPLOYMENTS.group}/finalizer"
        labels, fields = settings.watching.label_selectors, settings.watching.field_selectors
        for owned in (DEPLOYMENTS, PODS):
            labels[owned.group, owned.version, owned.plural] = self._scope.owner_label
        fields[LEASES.group, LEASES.version, LEASES.plural] = f"metadata.name={self._scope.lease.name}"
        return settings

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(self._login)
        handlers: dict[Resource, Callable[[JsonObject, str | None], None]] = {
            GEMMA_DEPLOYMENTS: self._on_gemma_deployment,
            DEPLOYMENTS: self._on_owned,
            PODS: self._on_owned,
            NODES: self._on_node,
            LEASES: self._on_lease,
        }
        for resource, handler in handlers.items():
            if resource in self._permitted:
                on_event = kopf.on.event(resource.group, resource.version, resource.plural, registry=registry)
                on_event(_handler(resource.plural, handler))
        return registry

    async def _login(self, **_: Any) -> kopf.ConnectionInfo:
        current = await self._credentials()
        return kopf.ConnectionInfo(
            server=current.server,
            ca_path=current.ca_path,
            insecure=current.insecure,
            scheme="Bearer" if current.token else None,
            token=current.token,
            certificate_path=current.certificate_path,
            private_key_path=current.private_key_path,
        )

    def _tell(self, signal: Callable[..., None], *arguments: Key) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(signal, *arguments)

    def _on_gemma_deployment(self, obj: JsonObject, _: str | None) -> None:
        meta = obj["metadata"]
        if self._scope.serves(meta["namespace"]):
            self._tell(self._inbox.changed, Key(meta["namespace"], meta["name"]))

    def _on_owned(self, obj: JsonObject, _: str | None) -> None:
        meta = obj["metadata"]
        owner = (meta.get("labels") or {}).get(self._scope.owner_label)
        if owner and self._scope.serves(meta["namespace"]):
            self._tell(self._inbox.changed, Key(meta["namespace"], owner))

    def _on_node(self, obj: JsonObject, event: str | None) -> None:
        name, fingerprint = obj["metadata"]["name"], node_fingerprint(obj)
        if event == "DELETED":
            self._nodes.pop(name, None)
        elif self._nodes.get(name) == fingerprint:
            return
        else:
            self._nodes[name] = fingerprint
        self._tell(self._inbox.nodes_changed)

    def _on_lease(self, obj: JsonObject, _: str | None) -> None:
        if obj["metadata"].get("namespace") == self._scope.lease.namespace:
            self._tell(self._inbox.canary)


def _handler(plural: str, react: Callable[[JsonObject, str | None], None]) -> Callable[..., Awaitable[None]]:
    async def handle(*, body: kopf.Body, type: str | None, **_: Any) -> None:  # noqa: A002 - kopf's name
        react(dict(body), type)

    handle.__name__ = f"on_{plural}"
    return handle


class _ThreadStop:
    """A stop flag for kopf's loop that other threads may set, before or after that loop runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set = False
        self._bound: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def bind(self) -> asyncio.Event:
        """The flag for the running loop."""
        with self._lock:
            event = asyncio.Event()
            self._bound = (asyncio.get_running_loop(), event)
            if self._set:
                event.set()
            return event

    def judge(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Exception handler of kopf's loop: after a stop it is no news that a watch was not closed cleanly."""
        if self._set:
            logger.debug("After the stop of the event pump: %s", context.get("message"))
        else:
            loop.default_exception_handler(context)

    def set(self) -> None:
        with self._lock:
            self._set = True
            if self._bound and not self._bound[0].is_closed():
                self._bound[0].call_soon_threadsafe(self._bound[1].set)
