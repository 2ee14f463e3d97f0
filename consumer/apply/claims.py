"""What the service asks about its positions and its intake: it claims, reads, and stops a topic's intake. Each is one
transaction, repeated until the database answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.apply.fuse import Fuse
from neon_projector.consumer.apply.lock import enter_claim
from neon_projector.consumer.apply.watchdog import Watchdog
from neon_projector.consumer.errors import FuseBlown
from neon_projector.consumer.offsets import intake_stops, service_settings
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.claim import Claim, Positions
from neon_projector.consumer.offsets.stop_log import StopLog
from neon_projector.consumer.recovery.retrying import Retrying
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.consumer.wording import counted


class ClaimListener(Protocol):
    """Is told of claims."""

    def claimed(self, claims: Mapping[TopicPartition, Claim]) -> None:
        """These partitions are ours to read, from here."""

    def stops_read(self, stops: Sequence[intake_stops.Stop]) -> None:
        """These are all stops of intake in the group, and what is accepted."""


class Claims:
    """How one instance reaches the positions of its group."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: Settings,
        fuse: Fuse,
        retrying: Retrying,
        watchdog: Watchdog,
        listener: ClaimListener,
    ) -> None:
        self._engine, self._settings, self._fuse = engine, settings, fuse
        self._retrying, self._watchdog, self._listener = retrying, watchdog, listener
        self._group_id = settings.kafka_group_id
        self._stop_log = StopLog(self._group_id)

    async def claim(self, first: Positions, topic_ids: Mapping[str, str | None]) -> dict[TopicPartition, Claim]:
        """Take partitions over, to read them. A partition without a stored position starts at its offset in `first`."""
        async with self._watchdog.watching():
            claims = await self._retrying.until_answered(lambda: self._claim(first, topic_ids))
        self._listener.claimed(claims)
        return claims

    async def read(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Claim]:
        """The stored positions of `partitions`, to read on from them."""
        claims = await self.look(partitions)
        self._listener.claimed(claims)
        return claims

    async def look(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Claim]:
        """The stored positions of `partitions`, only to compare with."""
        return await self._retrying.until_answered(lambda: self._look(partitions))

    async def blow(self, blown: FuseBlown) -> None:
        """Stop the intake of a topic. It is logged once, however many batches and instances find it out."""
        await self._retrying.until_answered(lambda: self._blow(blown))

    def is_blown(self, topics: Iterable[str]) -> bool:
        """Whether this instance has just stopped one of these itself."""
        return self._stop_log.is_blown(topics)

    async def _claim(self, first: Positions, topic_ids: Mapping[str, str | None]) -> dict[TopicPartition, Claim]:
        with translated():
            async with self._engine.begin() as connection:
                await enter_claim(connection)
                claims = await positions.claim(connection, self._group_id, first, topic_ids)
                await service_settings.write(connection, self._settings)
                return await self._with_stops(connection, claims)

    async def _look(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Claim]:
        with translated():
            async with self._engine.connect() as connection:
                claims = await positions.read(connection, self._group_id, partitions)
                return await self._with_stops(connection, claims)

    async def _blow(self, blown: FuseBlown) -> None:
        numbers = f"{blown.rejected:,} of {counted(blown.records, 'record')} in a row are rejected"
        message = f"{numbers}, most of them as {blown.reason} from {blown.source}"
        message += f"; for example {blown.example}" if blown.example else ""
        with translated():
            async with self._engine.begin() as connection:
                first = await intake_stops.blow(connection, self._group_id, blown.topic, message)
        self._stop_log.blew(blown, first=first)

    async def _with_stops(
        self, connection: AsyncConnection, claims: Mapping[TopicPartition, Claim]
    ) -> dict[TopicPartition, Claim]:
        stops = await intake_stops.read(connection, self._group_id)
        await self._stop_log.notice(connection, stops)
        self._listener.stops_read(stops)
        for topic in {partition.topic for partition in claims}:
            self._fuse.accept(topic, intake_stops.accepted_seconds(stops, topic))
        reasons = {partition.topic: intake_stops.reasons(stops, partition.topic) for partition in claims}
        return {partition: claim._replace(stop=reasons[partition.topic]) for partition, claim in claims.items()}
