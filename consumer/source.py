"""Kafka as this service sees it: partitions come and go, are claimed in Postgres, and give records in order.

Where to read from is told by Postgres alone. A partition that is assigned stays paused until it is claimed there;
Kafka's committed offsets are a hint for lag tools. Nothing here leaves the group while work is slow: liveness is
the heartbeat's, so `max.poll.interval.ms` is as good as off.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiokafka.errors
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.helpers import create_ssl_context

from consumer.batch import Claim, Fetched, Positions, Span
from consumer.errors import WrongSettings
from consumer.settings import Settings

log = logging.getLogger(__name__)

SESSION_TIMEOUT_MS = 10_000
HEARTBEAT_INTERVAL_MS = 2_000
NEVER_MS = 2**31 - 1
PARTITION_FETCH_BYTES = 1024 * 1024

Claimer = Callable[[Mapping[TopicPartition, int]], Awaitable[dict[TopicPartition, Claim]]]
"""Claims partitions, given the first offset that Kafka has of each."""
Reader = Callable[[set[TopicPartition]], Awaitable[dict[TopicPartition, Claim]]]
"""Reads the claims of partitions again."""


def client_options(settings: Settings) -> dict[str, Any]:
    """aiokafka's arguments for reaching the brokers."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "client_id": "neon-projector",
        "security_protocol": settings.kafka_security_protocol,
    }
    if "SSL" in settings.kafka_security_protocol.split("_"):
        files = (settings.kafka_ssl_cafile, settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile)
        cafile, certfile, keyfile = (str(path) if path else None for path in files)
        try:
            options["ssl_context"] = create_ssl_context(cafile=cafile, certfile=certfile, keyfile=keyfile)
        except (ssl.SSLError, OSError) as error:
            raise WrongSettings(f"KAFKA_SSL_CAFILE, KAFKA_SSL_CERTFILE, KAFKA_SSL_KEYFILE: {error}") from None
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        password = settings.kafka_sasl_password
        options["sasl_plain_password"] = None if password is None else password.get_secret_value()
    return options


class Source(ConsumerRebalanceListener):  # type: ignore[misc]
    """The group member. `on_revoked` is awaited before partitions are given up."""

    def __init__(self, settings: Settings, on_revoked: Callable[[set[TopicPartition]], Awaitable[None]]) -> None:
        self._settings = settings
        self._on_revoked = on_revoked
        self._consumer: AIOKafkaConsumer | None = None
        self._unclaimed: set[TopicPartition] = set()
        self._unread: set[TopicPartition] = set()
        self._next: dict[TopicPartition, int] = {}
        self.epochs: dict[TopicPartition, int] = {}
        """The partitions that are ours to read, each with the epoch under which we claimed it."""
        self.stopped: dict[TopicPartition, str] = {}
        """Partitions that are not read until an operator decides, each with the reason."""
        self.joined = False
        self.rebalances = 0

    async def start(self) -> None:
        """Join the group; returns when partitions are assigned (maybe none)."""
        settings = self._settings
        self._consumer = AIOKafkaConsumer(
            group_id=settings.kafka_group_id,
            group_instance_id=settings.kafka_group_instance_id or None,
            isolation_level=settings.kafka_isolation_level,
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
            max_poll_interval_ms=NEVER_MS,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
            **client_options(settings),
        )
        self._consumer.subscribe(sorted(set(settings.topics.values())), listener=self)
        try:
            await self._consumer.start()
        except BaseException:
            await self.stop()
            raise
        self.joined = True

    async def stop(self) -> None:
        """Leave the group."""
        if self._consumer is not None:
            await self._consumer.stop()
            self._consumer = None

    @property
    def consumer(self) -> AIOKafkaConsumer:
        assert self._consumer is not None, "start first"
        return self._consumer

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self.consumer.pause(*assigned)
        self._unclaimed = set(assigned)
        self.joined = True
        log.info("partitions assigned", extra={"partitions": _names(assigned)})

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self.joined = False
        self._forget()
        if revoked:
            self.rebalances += 1
            log.info("partitions revoked", extra={"partitions": _names(revoked)})
            await self._on_revoked(revoked)

    def _forget(self) -> None:
        for held in (self.epochs, self._next, self.stopped, self._unclaimed, self._unread):
            held.clear()

    async def settle_claims(self, claim: Claimer, read: Reader) -> None:
        """Claim what is newly assigned, read again what was fenced; then these partitions give records."""
        if self._unclaimed:
            wanted = set(self._unclaimed)
            first = await self.consumer.beginning_offsets(list(wanted))
            self._take(wanted, await claim(first))
        if self._unread:
            wanted = set(self._unread)
            self._take(wanted, await read(wanted))

    def _take(self, wanted: set[TopicPartition], claims: Mapping[TopicPartition, Claim]) -> None:
        for partition in wanted & (self._unclaimed | self._unread):  # some may be revoked by now
            found = claims.get(partition)
            if found is None:  # its position is gone: begin anew
                self._unread.discard(partition)
                self._unclaimed.add(partition)
                continue
            self.epochs[partition], self._next[partition] = found.epoch, found.next_offset
            self._unclaimed.discard(partition)
            self._unread.discard(partition)
            self.consumer.seek(partition, found.next_offset)
            self.consumer.resume(partition)

    def read_again(self, partitions: set[TopicPartition]) -> None:
        """Go back to the stored positions: somebody else has moved them."""
        ours = {p for p in partitions if p in self.epochs}
        self.consumer.pause(*ours)
        for partition in ours:
            del self.epochs[partition], self._next[partition]
        self._unread |= ours

    async def fetch(self, max_records: int, timeout_ms: int) -> list[Fetched]:
        """Records that have come, and steps over markers; waits up to `timeout_ms` where there is nothing."""
        try:
            records = await self.consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
        except aiokafka.errors.OffsetOutOfRangeError as error:
            self._stop_partitions(error.args[0])
            return []
        except aiokafka.errors.NoOffsetForPartitionError:
            return []  # asked before the claim was there
        fetched = []
        for partition, epoch in list(self.epochs.items()):
            start = self._next[partition]
            try:
                position = await self.consumer.position(partition)
            except aiokafka.errors.IllegalStateError:
                continue  # revoked while we asked
            if position > start:
                self._next[partition] = position
                fetched.append(Fetched(partition, Span(start, position, epoch), records.get(partition, ())))
        return fetched

    def _stop_partitions(self, positions: Mapping[TopicPartition, int]) -> None:
        for partition, position in positions.items():
            self.consumer.pause(partition)
            self.epochs.pop(partition, None)
            self.stopped[partition] = "position_not_in_topic"
            log.error(
                "Kafka does not have the records at the stored position of this partition; it is stopped until "
                "its position is set: projector offsets reset",
                extra={"topic": partition.topic, "partition": partition.partition, "position": position},
            )

    def lag(self, positions: Positions) -> dict[TopicPartition, int]:
        """Records between what is applied and the last stable offset, as far as the last fetch told."""
        lags = {}
        for partition in list(self.epochs):
            try:
                stable = self.consumer.last_stable_offset(partition)
            except (AssertionError, aiokafka.errors.KafkaError):
                continue  # no more ours
            if stable is not None:
                lags[partition] = max(0, stable - positions.get(partition, self._next[partition]))
        return lags

    async def hint(self, positions: Positions) -> None:
        """Tell Kafka how far we are, for its lag tools. What goes wrong here is of no consequence."""
        ours = {p: offset for p, offset in positions.items() if p in self.epochs}
        if ours:
            try:
                await asyncio.wait_for(self.consumer.commit(ours), 5)
            except (aiokafka.errors.KafkaError, TimeoutError) as error:
                log.debug("the hint to Kafka failed", extra={"error": type(error).__name__})


def _names(partitions: set[TopicPartition]) -> list[str]:
    return sorted(f"{p.topic}:{p.partition}" for p in partitions)
