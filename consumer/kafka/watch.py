"""Asks Kafka every second, beside the group member: does it answer, does the member hear it, what topics are there?

The member's own client reports none of that. It waits in silence for brokers that it once knew, and never goes back to
KAFKA_BOOTSTRAP_SERVERS. The watch connects from that list, and its names are resolved again for each connection.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

import aiokafka.errors
from aiokafka.conn import AIOKafkaConnection, collect_hosts

from neon_projector.consumer.kafka.advertised import connect
from neon_projector.consumer.kafka.metadata import Metadata, ask
from neon_projector.consumer.logs.changes import Changes
from neon_projector.consumer.logs.repeats import KAFKA_LINES

log = logging.getLogger(__name__)

ASK_SECONDS = 1.0
ANSWER_SECONDS = 3.0
"""So long one broker has time to take a connection and to answer."""
SILENT_ANSWERS = 4
"""After so many answers to the watch, but none to the member, it counts as cut off. Its heartbeats are 2 s apart."""
LOST_ANSWERS = 8
"""After so many it needs a new client. Its session ends after 10 seconds."""
NOT_HEARD = "brokers answer, but not those that this instance is connected to"

LOST = (aiokafka.errors.KafkaError, NotImplementedError, OSError, TimeoutError)
"""What may come of asking a broker; NotImplementedError: it speaks no version of the protocol that the client does."""


class Watch:
    """`answers` asks until it is cancelled; `heard` is to be called at each answer that the member's client gets."""

    def __init__(self, options: Mapping[str, Any], topics: Iterable[str]) -> None:
        self._options = dict(options)
        self._bootstrap = self._options.pop("bootstrap_servers")
        self._topics = sorted(set(topics))
        self._connection: AIOKafkaConnection | None = None
        self._known: tuple[tuple[str, int], ...] = ()
        self._turn = asyncio.Lock()
        self._heard = self._since = time.monotonic()
        self._unheard = 0
        """Answers to the watch since the last one to the member."""
        self._joining = 0
        self._changes = Changes()
        self.trouble: str | None = None
        """Why nothing can be read from Kafka now."""
        self.answered_at = 0.0
        """Unix time of the last good answer, to the watch or to the member."""
        self.failures = 0
        """Times that no broker answered, neither the watch nor the member."""
        self.renewals = 0
        """Clients that were made to take the place of one that heard nothing."""
        self.lost = asyncio.Event()
        """Set while the member needs a new client."""

    def heard(self) -> None:
        """The member's client has had an answer."""
        self._heard, self._unheard = time.monotonic(), 0
        self._answered()

    @contextmanager
    def joining(self) -> Any:
        """Within, the coordinator lets the member wait for the others of the group, and answers nothing."""
        self._joining += 1
        try:
            yield
        finally:
            self._joining -= 1

    def renewed(self) -> None:
        """The member has a new client."""
        self._unheard = 0
        self.renewals += 1
        self.lost.clear()

    async def answers(self) -> AsyncIterator[Metadata]:
        """Ask every second, and give each answer."""
        while True:
            try:
                metadata = await self.ask()
            except LOST as error:
                self._failed(error)
            else:
                self._look_at_member()
                yield metadata
            await asyncio.sleep(ASK_SECONDS)

    async def ask(self) -> Metadata:
        """Metadata of our topics, from any broker that answers; else one of LOST."""
        async with self._turn:
            if self._connection is not None:
                try:
                    return await self._answer_of(self._connection)
                except LOST:
                    self.close()
            error: BaseException = aiokafka.errors.KafkaConnectionError("no broker is known")
            for host, port in dict.fromkeys((*[h[:2] for h in collect_hosts(self._bootstrap)], *self._known)):
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        self._connection = await connect(host, port, **self._options)
                    return await self._answer_of(self._connection)
                except LOST as failed:
                    error = failed
                    self.close()
            raise error

    async def _answer_of(self, connection: AIOKafkaConnection) -> Metadata:
        async with asyncio.timeout(ANSWER_SECONDS):
            metadata = await ask(connection, self._topics)
        self._known = metadata.brokers
        return metadata

    def close(self) -> None:
        """Close the connection; the next question makes another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _failed(self, error: BaseException) -> None:
        if time.monotonic() - self._heard >= ANSWER_SECONDS:
            self.failures += 1
            self._troubled(type(error).__name__)

    def _look_at_member(self) -> None:
        self._unheard = 0 if self._joining else self._unheard + 1
        if self._unheard >= SILENT_ANSWERS:
            self._troubled(NOT_HEARD)
        else:
            self._answered()
        if self._unheard >= LOST_ANSWERS:
            self.lost.set()

    def _troubled(self, why: str) -> None:
        self._since = time.monotonic() if self.trouble is None else self._since
        if self._changes.is_news(why):
            more = {} if self.trouble is None else {"after_seconds": round(time.monotonic() - self._since, 1)}
            log.warning("Kafka does not answer", extra={"error": why, **more})
        self.trouble = why

    def _answered(self) -> None:
        self.answered_at = time.time()
        if self.trouble is not None:
            self.trouble = None
            self._changes.over()
            KAFKA_LINES.forget()
            log.info("Kafka answers again", extra={"after_seconds": round(time.monotonic() - self._since, 1)})


async def metadata_of(options: Mapping[str, Any], topics: Iterable[str]) -> Metadata:
    """Metadata of `topics`, asked for once; one of LOST where no broker answers."""
    watch = Watch(options, topics)
    try:
        return await watch.ask()
    finally:
        watch.close()
