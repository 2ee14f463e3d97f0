"""Sends messages in the order of their lines, and knows up to which line the broker has them all."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiokafka.errors
from aiokafka import AIOKafkaProducer

from neon_projector.consumer.admin.publish.message import Message
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.settings import KafkaSettings

MOST_UNDER_WAY = 1_000
"""Messages that the broker has not acknowledged yet, at most."""
NOT_IDEMPOTENT = (
    aiokafka.errors.IncompatibleBrokerVersion,
    aiokafka.errors.UnknownError,
    aiokafka.errors.ClusterAuthorizationFailedError,
)
"""How brokers answer that give no producer ids: before Kafka 0.11, the demo's own, and before Kafka 3.0 those where the
user has no right to IDEMPOTENT_WRITE (KIP-679)."""
STOP_SECONDS = 5.0
"""How long the end waits for a broker that does not answer any more."""
ROOM_BYTES = 64 * 1024
"""For a message's key and headers, beside its value."""


@dataclass
class Sent:
    """How far it is: the broker has all `number` messages up to and with that of `line`."""

    line: int = 0
    number: int = 0
    idempotent: bool = True


async def send(
    settings: KafkaSettings,
    messages: Iterable[tuple[int, Message]],
    sent: Sent,
    rate: float | None,
    told: Callable[[int], None],
) -> None:
    """Send all; `rate`: so many a second at most. `sent` is right also where this ends with an error.

    Refused for a message that is too large for the broker, TransientError where it does not answer.
    """
    with kafka_translated():
        async with _producer(settings, sent) as producer:
            under_way = UnderWay(producer, sent, told)
            loop = asyncio.get_running_loop()
            began = loop.time()
            try:
                for count, (line, message) in enumerate(messages):
                    if rate and (early := began + count / rate - loop.time()) > 0:
                        await asyncio.sleep(early)
                    await under_way.put(line, message)
                await under_way.until(0)
            finally:
                under_way.take_what_is_there()


class UnderWay:
    """Messages that are sent, and not yet known to be with the broker, in the order of their lines."""

    def __init__(self, producer: AIOKafkaProducer, sent: Sent, told: Callable[[int], None]) -> None:
        self._producer, self._sent, self._told = producer, sent, told
        self._waiting: deque[tuple[int, asyncio.Future[Any]]] = deque()

    async def put(self, line: int, message: Message) -> None:
        """Send one, when there is room."""
        await self.until(MOST_UNDER_WAY - 1)
        try:
            headers = list(message.headers)
            future = await self._producer.send(message.topic, message.value, message.key, headers=headers)
        except aiokafka.errors.MessageSizeTooLargeError:
            raise _too_large(line) from None
        self._waiting.append((line, future))

    async def until(self, most: int) -> None:
        """Wait until no more than so many are under way."""
        self.take_what_is_there()
        while len(self._waiting) > most:
            line, future = self._waiting[0]
            try:
                await future
            except aiokafka.errors.MessageSizeTooLargeError:
                raise _too_large(line) from None
            self.take_what_is_there()

    def take_what_is_there(self) -> None:
        """Note what the broker has by now, up to the first one that it has not."""
        while self._waiting:
            line, future = self._waiting[0]
            if not future.done() or future.cancelled() or future.exception() is not None:
                return
            self._waiting.popleft()
            self._sent.line, self._sent.number = line, self._sent.number + 1
            self._told(self._sent.number)


@asynccontextmanager
async def _producer(settings: KafkaSettings, sent: Sent) -> AsyncIterator[AIOKafkaProducer]:
    """Idempotent, where the broker knows that: then it has each message once, and in order, also after a retry."""
    try:
        producer = await _started(settings, idempotent=True)
    except NOT_IDEMPOTENT:
        producer, sent.idempotent = await _started(settings, idempotent=False), False
    try:
        yield producer
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(producer.stop(), STOP_SECONDS)


async def _started(settings: KafkaSettings, *, idempotent: bool) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        acks="all",
        enable_idempotence=idempotent,
        linger_ms=5,
        max_request_size=settings.event_max_bytes + ROOM_BYTES,
        **client_options(settings),
    )
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


def _too_large(line: int) -> Refused:
    return Refused(f"line {line}: its record is too large for the topic (max.message.bytes)")
