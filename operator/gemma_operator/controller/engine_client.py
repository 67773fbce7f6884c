"""Asks running engines for their metrics page. The only request that the operator makes to a pod.

Called for ready pods by ``observe`` and the scaling loop. A page that is late, too long or not there is no page:
unknown is never bad news.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp

from gemma_operator.vllm.arguments import PORT

TIMEOUT_SECONDS = 5
CONNECT_SECONDS = 3
MAX_PAGE_BYTES = 4 * 2**20
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """A metrics page, if there was one. Without a connection (``reached``) something between may be in the way."""

    page: str | None
    reached: bool = True


class EngineClient:
    """One HTTP session for all pods."""

    def __init__(self, port: int = PORT) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, sock_connect=CONNECT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout)
        self._port = port
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(self, addresses: Iterable[str]) -> dict[str, Answer]:
        """Answers by pod address, asked for at the same time."""
        wanted = list(addresses)
        answers = await asyncio.gather(*(self._ask(address) for address in wanted))
        return dict(zip(wanted, answers, strict=True))

    async def _ask(self, address: str) -> Answer:
        try:
            return Answer(await self._page(address))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return Answer(None, reached=False)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Answer(None)

    async def _page(self, address: str) -> str | None:
        host = f"[{address}]" if ":" in address else address
        async with self._slots, self._session.get(f"http://{host}:{self._port}/metrics") as response:
            if response.status != 200:
                return None
            page = bytearray()
            async for piece in response.content.iter_any():
                page += piece
                if len(page) > MAX_PAGE_BYTES:
                    return None
            return page.decode(errors="replace")
