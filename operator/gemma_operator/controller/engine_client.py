"""Asks running engines for their metrics page. The only request that the operator makes to a pod.

Called by ``observe`` for ready pods. A page that is late, too long or not there is ``None``: unknown is never bad news.
"""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import aiohttp

from gemma_operator.vllm.arguments import PORT

TIMEOUT_SECONDS = 5
MAX_PAGE_BYTES = 4 * 2**20
AT_ONCE = 16


class EngineClient:
    """One HTTP session for all pods."""

    def __init__(self, port: int = PORT) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        self._port = port
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def pages(self, addresses: Iterable[str]) -> dict[str, str | None]:
        """Metrics pages by pod address, asked for at the same time."""
        wanted = list(addresses)
        pages = await asyncio.gather(*(self._page(address) for address in wanted))
        return dict(zip(wanted, pages, strict=True))

    async def _page(self, address: str) -> str | None:
        host = f"[{address}]" if ":" in address else address
        try:
            async with self._slots, self._session.get(f"http://{host}:{self._port}/metrics") as response:
                if response.status != 200:
                    return None
                page = bytearray()
                async for piece in response.content.iter_any():
                    page += piece
                    if len(page) > MAX_PAGE_BYTES:
                        return None
                return page.decode(errors="replace")
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
