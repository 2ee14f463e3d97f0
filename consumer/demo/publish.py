"""Publishes the stream, and notes in the truth where each record came to stand.

The embedded broker bears upon the producer: it knows no idempotent producers, so a record must never be sent again
after a timeout (hence a long one, on loopback), and it counts a batch as one record, so each is a batch of its own.
"""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer

from neon_projector.consumer.demo.errors import DemoFailed
from neon_projector.consumer.demo.stream.stream import Stream
from neon_projector.consumer.demo.stream.truth import Truth
from neon_projector.consumer.demo.stream.wire import DemoRecord
from neon_projector.consumer.demo.waves import due

LARGEST_REQUEST_BYTES = 8 * 1024 * 1024
TIMEOUT_MS = 120_000
STOP_SECONDS = 5.0
"""How long the end waits for a broker that does not answer any more."""
TICK_SECONDS = 0.02


class Publisher:
    """One producer. DemoFailed where the broker does not take a record."""

    def __init__(self, bootstrap: str, truth: Truth) -> None:
        self._truth = truth
        self._refused: BaseException | None = None
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            max_batch_size=1,
            max_request_size=LARGEST_REQUEST_BYTES,
            request_timeout_ms=TIMEOUT_MS,
        )

    async def __aenter__(self) -> "Publisher":
        try:
            await self._producer.start()
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._producer.stop(), STOP_SECONDS)

    async def publish(self, stream: Stream, stop: asyncio.Event, most: int | None) -> None:
        """Publish in waves, until `stop` or `most` records (None: no end); returns when the broker has them all."""
        loop = asyncio.get_running_loop()
        start, sent = loop.time(), 0
        while not stop.is_set() and (most is None or sent < most):
            if sent >= due(loop.time() - start):
                await _either(stop, TICK_SECONDS)
                continue
            records = stream.take()
            await self._send(records)
            sent += len(records)
            if self._refused is not None:
                break
        await self._send(stream.rest())
        await self._producer.flush()
        if self._refused is not None:
            raise DemoFailed(f"the broker does not take a record ({self._refused!r})")

    async def _send(self, records: list[DemoRecord]) -> None:
        for record in records:
            headers = list(record.headers)
            sent = await self._producer.send(record.topic, key=record.key, value=record.value, headers=headers)
            sent.add_done_callback(partial(self._answered, record))

    def _answered(self, record: DemoRecord, answer: "asyncio.Future[Any]") -> None:
        if answer.cancelled() or (error := answer.exception()) is not None:
            self._refused = self._refused or (asyncio.CancelledError() if answer.cancelled() else error)
            return
        place = answer.result()
        self._truth.acknowledged(
            place.topic, place.partition, place.offset, reason=record.reason, ignored=record.ignored
        )


async def _either(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
