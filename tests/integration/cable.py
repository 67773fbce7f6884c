"""A TCP connection to the API server that can be cut (what is sent goes nowhere) or unplugged (connections break)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from kubernetes.aio.client import Configuration


class Cable:
    """Carries bytes both ways between clients on 127.0.0.1 and one server."""

    def __init__(self, host: str, port: int) -> None:
        self.cut = False
        self.unplugged = False
        self.address = ""
        self._target = (host, port)
        self._tasks: set[asyncio.Task[None]] = set()

    def plug(self, configuration: Configuration) -> Configuration:
        """The configuration with this cable in between; the server's certificate is valid for 127.0.0.1 too."""
        configuration.host = self.address
        return configuration

    def unplug(self) -> None:
        """Break all connections and refuse new ones."""
        self.unplugged = True
        for task in self._tasks:
            task.cancel()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for ``asyncio.start_server``."""
        if self.unplugged:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        ways = [
            asyncio.create_task(self._carry(reader, there_writer)),
            asyncio.create_task(self._carry(there_reader, writer)),
        ]
        self._tasks.update(ways)
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way, end in zip(ways, (writer, there_writer), strict=True):
            way.cancel()
            self._tasks.discard(way)
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self.cut:
                writer.write(data)


@asynccontextmanager
async def cable_to(url: str) -> AsyncIterator[Cable]:
    """A cable to the server of that URL, open at first."""
    where = urlsplit(url)
    cable = Cable(where.hostname or "", where.port or 443)
    server = await asyncio.start_server(cable.connected, "127.0.0.1", 0)
    cable.address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield cable
    finally:
        cable.unplug()
        server.close()
