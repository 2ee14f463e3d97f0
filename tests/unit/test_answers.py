"""Our receiver gives the client what its own gives: every answer, however it is cut on the way, and every end."""

import asyncio
import random
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaProtocol

from neon_projector.consumer.kafka import answers
from neon_projector.consumer.kafka.answers import Answers, Receiving
from tests.support.certificates import make_certificates

OWN: list[Callable[..., Any]] = [AIOKafkaProtocol, Receiving]


def on_the_wire(*pieces: bytes) -> bytes:
    return b"".join(struct.pack(">i", len(piece)) + piece for piece in pieces)


async def read(protocol: Callable[..., Any], sent: bytes, cuts: list[int]) -> tuple[list[bytes], str]:
    """What the client's reading task gets when `sent` comes cut in such pieces, and how it ends."""
    loop, got = asyncio.get_running_loop(), list[bytes]()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    reader = asyncio.StreamReader(loop=loop)
    transport, _ = await loop.create_connection(lambda: protocol(loop.create_future(), reader, loop=loop), sock=ours)

    async def send() -> None:
        for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
            await loop.sock_sendall(theirs, sent[start:end])
            await asyncio.sleep(0)
        theirs.close()

    sending = asyncio.create_task(send())
    try:
        while True:
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            got.append(await reader.readexactly(size))
    except (EOFError, ValueError, OSError) as error:
        return got, "it ends" if isinstance(error, EOFError) else "it is refused"
    finally:
        transport.close()
        await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.parametrize("protocol", OWN)
async def test_every_answer_comes_however_it_is_cut(protocol: Callable[..., Any]) -> None:
    rng = random.Random(7)
    for _ in range(20):
        pieces = [rng.randbytes(rng.choice((0, 1, 4, 50, 5_000, 70_000, 400_000))) for _ in range(rng.randint(1, 8))]
        sent = on_the_wire(*pieces)
        cuts = sorted(rng.randrange(len(sent)) for _ in range(rng.randrange(30)))
        assert await read(protocol, sent, cuts) == (pieces, "it ends")


@pytest.mark.parametrize("protocol", OWN)
async def test_an_answer_that_is_cut_off_is_none(protocol: Callable[..., Any]) -> None:
    whole = on_the_wire(b"one", b"x" * 300_000)
    for end in (2, 4, 6, 7, 9, 11, 200_000, len(whole) - 1):
        got, how = await read(protocol, whole[:end], [])
        assert (got, how) == ([b"one"] if end >= 7 else [], "it ends")


@pytest.mark.parametrize("protocol", OWN)
async def test_who_is_no_broker_is_left(protocol: Callable[..., Any]) -> None:
    assert await read(protocol, on_the_wire(b"one") + b"\xff\xff\xff\xfeno length", []) == ([b"one"], "it is refused")


@pytest.mark.parametrize("protocol", OWN)
async def test_over_tls_answers_come_whole_though_the_end_comes_with_them(
    protocol: Callable[..., Any], tmp_path: Path
) -> None:
    """What is decrypted and finds no room is read later, unless the connection has ended by then."""
    made, loop = make_certificates(tmp_path, ["DNS:broker"]), asyncio.get_running_loop()
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(made.server, made.key)
    trusted, reader = ssl.create_default_context(cafile=str(made.authority)), asyncio.StreamReader(loop=loop)
    near, far = socket.socketpair()
    far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_000_000)
    shaking = loop.run_in_executor(None, lambda: theirs.wrap_socket(far, server_side=True))
    transport, _ = await loop.create_connection(
        lambda: protocol(loop.create_future(), reader, loop=loop), sock=near, ssl=trusted, server_hostname="broker"
    )
    broker, pieces = await shaking, [b"x" * 1_000] * 240
    broker.settimeout(10)  # where the system has no room for all of it, it fails
    broker.sendall(on_the_wire(*pieces))  # all of it before anybody reads
    broker.close()
    for piece in pieces:
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        assert await reader.readexactly(size) == piece
    transport.close()


@pytest.mark.parametrize("protocol", OWN)
async def test_a_connection_is_there_until_its_last_answer_is_read(protocol: Callable[..., Any]) -> None:
    """The client drops one that is not, and who waits for the answer waits for its timeout."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    receiving, sent = protocol(loop.create_future(), reader, loop=loop), on_the_wire(b"one")
    if isinstance(receiving, Receiving):
        receiving.get_buffer(-1)[: len(sent)] = sent
        receiving.buffer_updated(len(sent))
    else:
        receiving.data_received(sent)
    receiving.eof_received()
    assert not reader.at_eof()
    assert await reader.readexactly(4) == b"\0\0\0\3"
    assert await reader.readexactly(3) == b"one"
    assert reader.at_eof()


async def test_a_large_buffer_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_KEPT_BYTES", 100_000)
    loop = asyncio.get_running_loop()
    receiving = Receiving(loop.create_future(), reader := asyncio.StreamReader(loop=loop), loop=loop)
    sent = on_the_wire(b"x" * 300_000, b"the next")
    lengths = []
    while sent:
        room = receiving.get_buffer(-1)
        number = min(len(room), len(sent))
        room[:number], sent = sent[:number], sent[number:]
        receiving.buffer_updated(number)
        lengths.append(len(receiving._buffer))
    assert isinstance(reader, Answers)
    assert [len(one) for one in reader.whole] == [300_000, 8]
    assert max(lengths) >= 300_000
    assert lengths[-1] <= 100_000
