"""A reverse proxy in front of the real API server, where a test puts faults in.

The server behind it is never a fake: what is let through is answered by it, and every exchange is written down.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from e2e.cluster import Cluster

_OF_THE_CONNECTION = {"connection", "host", "transfer-encoding", "content-length", "keep-alive"}
_NO_WRITE = ("leases", "selfsubjectaccessreviews")
Forward = Callable[[], Awaitable["Answer"]]


@dataclass(frozen=True)
class Request:
    """What the operator sent."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes

    @property
    def watch(self) -> bool:
        return self.query.get("watch") == "true"

    @property
    def is_list(self) -> bool:
        """Whether it reads a whole collection by selector."""
        return self.method == "GET" and not self.watch and bool(self.query.get("labelSelector"))

    @property
    def write(self) -> bool:
        """Whether it changes anything that outlives the process; the Lease apart."""
        return self.method != "GET" and not any(f"/{plural}" in self.path for plural in _NO_WRITE)


@dataclass(frozen=True)
class Answer:
    """What the server said, or what a fault says in its place."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


class Cut(Exception):  # noqa: N818 - an order to the proxy, no error
    """Raised by a fault: break the connection without an answer."""


class Fault:
    """No fault. Others override what they disturb."""

    async def answer(self, request: Request, forward: Forward) -> Answer:
        """Answer a request that is no watch, by ``forward`` or otherwise."""
        return await forward()

    def event(self, request: Request, line: bytes) -> bytes | None:
        """Pass on one line of a watch; ``None`` drops it."""
        return line


class FaultProxy:
    """The proxy. ``fault`` may be changed at any time; ``requests`` holds all that came, in order.

    ``answers`` holds those that the server answered, with its status code.
    """

    def __init__(self, server: str, upstream: aiohttp.ClientSession) -> None:
        self.fault = Fault()
        self.requests: list[Request] = []
        self.answers: list[tuple[Request, int]] = []
        self.address = ""
        self._server = server
        self._upstream = upstream

    @property
    def writes(self) -> list[Request]:
        """All writes that came, forwarded or not."""
        return [request for request in self.requests if request.write]

    async def handle(self, incoming: web.Request) -> web.StreamResponse:
        """One request of the operator."""
        query = dict(incoming.query)
        request = Request(incoming.method, incoming.path, query, await incoming.read())
        self.requests.append(request)
        try:
            if request.watch:
                return await self._stream(incoming, request)
            answer = await self.fault.answer(request, lambda: self._forward(incoming, request))
        except Cut:
            if incoming.transport is not None:
                incoming.transport.abort()
            return web.Response()  # goes nowhere
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    def _onward(self, incoming: web.Request, request: Request) -> "aiohttp.client._RequestContextManager":
        kept = {name: value for name, value in incoming.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        return self._upstream.request(
            request.method, self._server + incoming.raw_path, headers=kept, data=request.body or None
        )

    async def _forward(self, incoming: web.Request, request: Request) -> Answer:
        async with self._onward(incoming, request) as response:
            self.answers.append((request, response.status))
            headers = {key: response.headers[key] for key in ("Content-Type", "Retry-After") if key in response.headers}
            return Answer(response.status, await response.read(), headers)

    async def _stream(self, incoming: web.Request, request: Request) -> web.StreamResponse:
        async with self._onward(incoming, request) as response:
            self.answers.append((request, response.status))
            out = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
            await out.prepare(incoming)
            async for line in response.content:
                if (passed := self.fault.event(request, line)) is not None:
                    await out.write(passed)
            return out


@asynccontextmanager
async def fault_proxy(cluster: Cluster) -> AsyncIterator[FaultProxy]:
    """A running proxy in front of the cluster's API server."""
    connector = aiohttp.TCPConnector(ssl=False, limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=2**22) as upstream:
        proxy = FaultProxy(cluster.server, upstream)
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        proxy.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield proxy
        finally:
            await runner.cleanup()
