"""A TCP proxy that plays Neon's own: ends TLS, refuses with its words, wakes slowly, drops what is idle, is far away.

What it says is what Neon's proxy says: `proxy/src/control_plane/messages.rs`, `auth/mod.rs`, `compute/mod.rs` and
`stream.rs` of github.com/neondatabase/neon; the SQLSTATE of its own errors is XX000.
"""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from neon_projector.consumer.demo.servers.ports import free_port

SSL_REQUEST = 80877103
INSECURE = "connection is insecure (try using `sslmode=require`)"
LOOPBACK = ("127.0.0.1",)


@dataclass
class NeonProxy:
    """Passes everything on, but for what is set here; each may be changed at any time."""

    target: tuple[str, int]
    refusal: str = ""
    """While set, who connects gets this as a FATAL error."""
    sqlstate: str = "XX000"
    wake_seconds: float = 0
    """How long the first connection after `suspend` waits; those that come meanwhile wait with it."""
    round_trip_seconds: float = 0
    silent: bool = False
    """While set, every byte is swallowed, in both directions. What has lost one stays open, and silent for ever."""
    swallowed: int = 0
    """How many connections have gone silent."""
    tls: ssl.SSLContext | None = None
    """With it, a client must encrypt, as with Neon."""
    refused: int = 0
    opened: int = 0
    round_trips: int = 0
    """How often a client that had its answer has sent something new."""
    port: int = 0
    _wakes: asyncio.Task[None] | None = None
    _clients: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    def suspend(self) -> None:
        """Go to sleep: every connection is lost."""
        self._wakes = None
        for writer in self._clients.values():
            writer.transport.abort()

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = writer
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):  # the last by close()
                await self._serve(reader, writer)
        finally:
            writer.transport.abort()
            del self._clients[task]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        startup, encrypted = await self._startup_packet(reader, writer)
        if self.silent:
            self.swallowed += 1
            await asyncio.Event().wait()
        if refusal := self.refusal or (INSECURE if self.tls and not encrypted else ""):
            self.refused += 1
            writer.write(error_response(self.sqlstate, refusal))
            await writer.drain()
            writer.close()
            return await writer.wait_closed()
        if self._wakes is None:
            self._wakes = asyncio.create_task(asyncio.sleep(self.wake_seconds))
        await asyncio.shield(self._wakes)
        self.opened += 1
        from_server, to_server = await asyncio.open_connection(*self.target)
        try:
            to_server.write(startup)
            await _Link(self, (reader, writer), (from_server, to_server)).run()
        finally:
            to_server.transport.abort()

    async def _startup_packet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[bytes, bool]:
        """The client's first message, and whether it is encrypted."""
        encrypted = False
        while True:
            head = await reader.readexactly(8)
            length, code = struct.unpack("!II", head)
            body = await reader.readexactly(length - 8)
            if code != SSL_REQUEST:
                return head + body, encrypted
            writer.write(b"N" if self.tls is None else b"S")
            await writer.drain()
            if self.tls is not None:
                await writer.start_tls(self.tls)
                encrypted = True

    def close(self) -> None:
        for task in list(self._clients):
            task.cancel()


class _Link:
    """One connection through the proxy."""

    def __init__(
        self,
        proxy: NeonProxy,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._answered = True
        self._silent = False

    async def run(self) -> None:
        """Carry bytes both ways until one side ends."""
        async with asyncio.TaskGroup() as group:
            there = group.create_task(self._carry(self._client[0], self._server[1], up=True))
            back = group.create_task(self._carry(self._server[0], self._client[1], up=False))
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            there.cancel()
            back.cancel()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, up: bool) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while data := await source.read(65536):
                self._count(up=up)
                if self._is_silent():
                    continue
                if self._proxy.round_trip_seconds:
                    loop.call_later(self._proxy.round_trip_seconds / 2, _write, target, data)
                else:
                    _write(target, data)
        if self._silent and not up:  # the server has gone, and nobody tells the client
            await asyncio.Event().wait()

    def _is_silent(self) -> bool:
        if self._proxy.silent and not self._silent:
            self._silent = True
            self._proxy.swallowed += 1
        return self._silent

    def _count(self, *, up: bool) -> None:
        if up and self._answered:
            self._proxy.round_trips += 1
        self._answered = not up


def _write(target: asyncio.StreamWriter, data: bytes) -> None:
    if not target.transport.is_closing():
        target.write(data)


def error_response(sqlstate: str, message: str) -> bytes:
    """An ErrorResponse of severity FATAL (PostgreSQL manual, section 54.7 and 54.8)."""
    fields = b"".join(f"{k}{v}".encode() + b"\0" for k, v in (("S", "FATAL"), ("C", sqlstate), ("M", message)))
    return b"E" + struct.pack("!I", len(fields) + 5) + fields + b"\0"


@asynccontextmanager
async def neon_proxy(
    target: int, tls: ssl.SSLContext | None = None, hosts: Sequence[str] = LOOPBACK
) -> AsyncIterator[NeonProxy]:
    """Neon's proxy, on `hosts`, before the Postgres at the port `target` of loopback."""
    proxy = NeonProxy(("127.0.0.1", target), tls=tls, port=free_port())
    server = await asyncio.start_server(proxy.serve, list(hosts), proxy.port)
    try:
        yield proxy
    finally:
        server.close()
        proxy.close()
