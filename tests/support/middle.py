"""One in the middle: takes connections as a Postgres would, and asks for the password in clear."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.certificates import Certificates

SSL_REQUEST = 80877103
CLEARTEXT_PASSWORD = b"R" + (8).to_bytes(4) + (3).to_bytes(4)
"""AuthenticationCleartextPassword (PostgreSQL manual, section 54.7)."""
REFUSED = b"SFATAL\0C28P01\0Mpassword authentication failed\0\0"


@dataclass
class Middle:
    """What it has got."""

    port: int = 0
    got: bytes = b""
    asked_for_it: int = 0


@asynccontextmanager
async def one_in_the_middle(certificates: Certificates | None) -> AsyncIterator[Middle]:
    """On any loopback address; with TLS where it has certificates, which nobody's system trusts."""
    middle, context = Middle(), None
    if certificates is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates.server, certificates.key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # it went away, as it should
        finally:
            writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await message(reader)
        while int.from_bytes(first[:4]) == SSL_REQUEST:
            writer.write(b"N" if context is None else b"S")
            await writer.drain()
            if context is not None:
                await writer.start_tls(context)
            first = await message(reader)
        middle.asked_for_it += 1
        writer.write(CLEARTEXT_PASSWORD)
        await writer.drain()
        middle.got += await reader.readexactly(1) + await message(reader)
        writer.write(b"E" + (len(REFUSED) + 4).to_bytes(4) + REFUSED)
        await writer.drain()

    server = await asyncio.start_server(serve, "0.0.0.0", 0)
    async with server:
        middle.port = server.sockets[0].getsockname()[1]
        yield middle


async def message(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(4))
    return await reader.readexactly(length - 4)
