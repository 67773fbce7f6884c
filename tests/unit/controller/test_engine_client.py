"""The operator's only request to a pod: the whole page or nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from gemma_operator.controller.engine_client import MAX_PAGE_BYTES, Answer, EngineClient


@asynccontextmanager
async def engine(pieces: list[bytes], status: int = 200) -> AsyncIterator[int]:
    """A real HTTP server that sends a metrics page in pieces; its port."""

    async def metrics(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.01)
        return response

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def ask(port: int) -> Answer:
    async with EngineClient(port) as engines:
        return (await engines.ask(["127.0.0.1"]))["127.0.0.1"]


async def test_a_page_that_comes_in_pieces_is_read_whole() -> None:
    async with engine([b"a" * 16384, b"b" * 16384, b"c"]) as port:
        answer = await ask(port)
    assert answer == Answer("a" * 16384 + "b" * 16384 + "c")


async def test_a_page_without_end_is_given_up() -> None:
    async with engine([b"x" * 2**20] * (MAX_PAGE_BYTES // 2**20 + 2)) as port:
        assert await ask(port) == Answer(None)


async def test_an_error_and_a_closed_port_are_no_page() -> None:
    async with engine([b"gone"], status=503) as port:
        assert await ask(port) == Answer(None)
    assert await ask(port) == Answer(None, reached=False)
