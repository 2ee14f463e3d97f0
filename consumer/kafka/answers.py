"""Receives the broker's answers where they are to lie, in half the CPU of asyncio's streams.

A stream puts each piece that comes behind the others, moves all of it for the reader, and clears it. Here the system
writes into one buffer per connection, and the reader gets one copy of each answer. On the wire an answer is its length
(4 bytes, big-endian) and so many bytes, also while the client logs in (Kafka's protocol guide, "Protocol Primitives").
"""

import asyncio
from collections import deque
from typing import Any

import aiokafka.conn
from aiokafka.conn import AIOKafkaProtocol

_HEAD = 4
_LEAST_BYTES = 64 * 1024
_TLS_BYTES = 16 * 1024
"""The most that TLS decrypts at a time (RFC 8446, section 5.1)."""
_KEPT_BYTES = 16 * 1024 * 1024
"""A buffer that had to become larger is given back with the next answer."""


class Answers(asyncio.StreamReader):
    """What the client's reading task reads by turns: a length, and so many bytes."""

    whole: "deque[bytes]"
    """Answers that are here and not read."""
    news: asyncio.Event
    _asked_for_length = False

    async def readexactly(self, _n: int) -> bytes:
        """The length of the next answer, then that answer. IncompleteReadError at the end of the connection."""
        self._asked_for_length = not self._asked_for_length
        if not self._asked_for_length:
            return self.whole.popleft()
        while not self.whole:
            if (error := self.exception()) is not None:
                raise error
            if self.at_eof():
                raise asyncio.IncompleteReadError(b"", _HEAD)
            self.news.clear()
            await self.news.wait()
        return len(self.whole[0]).to_bytes(_HEAD, "big")

    def has(self, answer: bytes) -> None:
        """Take one that is whole."""
        self.whole.append(answer)
        self.news.set()

    def at_eof(self) -> bool:
        """As of a stream: not while an answer is unread. The client would drop the connection, and the answer."""
        return super().at_eof() and not self.whole

    def feed_eof(self) -> None:
        super().feed_eof()
        self.news.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.news.set()


class Receiving(AIOKafkaProtocol, asyncio.BufferedProtocol):
    """One connection; its reader becomes `Answers`."""

    def __init__(self, closed: Any, reader: Any, *rest: Any, **options: Any) -> None:
        reader.__class__, reader.whole, reader.news = Answers, deque(), asyncio.Event()
        super().__init__(closed, reader, *rest, **options)
        self._answers: Answers = reader
        self._buffer, self._filled = bytearray(_LEAST_BYTES), 0

    def get_buffer(self, hint: int) -> memoryview:
        """With room for all `hint` bytes that TLS has (-1: there is none), and for what it has decrypted already: where
        the connection ends, asyncio loses what finds none."""
        if hint >= 0 and len(self._buffer) - self._filled < hint + _TLS_BYTES:
            self._move(0, hint + _TLS_BYTES)
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, number: int) -> None:
        self._filled += number
        at = 0
        while (behind := at + _HEAD) <= self._filled:
            end = behind + int.from_bytes(self._buffer[at:behind], "big", signed=True)
            if end < behind:
                self._answers.set_exception(ConnectionError("what answers is no Kafka broker"))
                break
            if end > self._filled:
                break
            with memoryview(self._buffer) as view:
                self._answers.has(bytes(view[behind:end]))
            at = end
        if at or self._filled == len(self._buffer):
            self._move(at)

    def _move(self, at: int, room: int = 1) -> None:
        """What is left comes to the front, or into a larger buffer. One that is asked for can't be resized."""
        left = self._buffer[at : self._filled]
        if len(left) + room > len(self._buffer) or len(self._buffer) > _KEPT_BYTES:
            self._buffer = bytearray(max(_LEAST_BYTES, 2 * len(left), len(left) + room))
        self._buffer[: len(left)], self._filled = left, len(left)


def receive_at_once() -> None:
    """Let all clients of this process do so; `client.py` calls it."""
    aiokafka.conn.AIOKafkaProtocol = Receiving
