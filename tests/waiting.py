"""How asynchronous tests wait: for a condition, with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Return when the condition holds; ``TimeoutError`` where it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.005)


async def eventually(probe: Callable[[], Awaitable[object]], seconds: float = 30.0) -> None:
    """Like ``until`` for a condition that has to be asked for."""
    async with asyncio.timeout(seconds):
        while not await probe():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)
