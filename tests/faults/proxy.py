"""A TCP proxy before Postgres that can swallow the answer to COMMIT."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Passes everything on; while `swallow` is above 0, the answer to a COMMIT is lost, and the connection with it."""

    target: tuple[str, int]
    swallow: int = 0
    swallowed: int = 0
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection(*self.target)
        lost = asyncio.Event()
        to_server = asyncio.create_task(self._to_server(reader, downstream, lost))
        to_client = asyncio.create_task(self._to_client(upstream, writer, lost))
        self._tasks |= {to_server, to_client}
        await asyncio.wait((to_server, to_client), return_when=asyncio.FIRST_COMPLETED)
        for side in (writer, downstream):
            side.close()

    async def _to_server(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while data := await reader.read(65536):
            if self.swallow > 0 and b"COMMIT" in data:
                self.swallow -= 1
                lost.set()
            server.write(data)
            await server.drain()

    async def _to_client(self, server: asyncio.StreamReader, client: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while data := await server.read(65536):
            if lost.is_set():  # the server has answered: it is committed, and nobody is told
                self.swallowed += 1
                return
            client.write(data)
            await client.drain()


@asynccontextmanager
async def proxy(target: tuple[str, int]) -> AsyncIterator[Proxy]:
    """A proxy on a free port of loopback."""
    one = Proxy(target)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        for task in one._tasks:
            task.cancel()
