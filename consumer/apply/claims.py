"""What the service asks of its positions and its intake: claims, reads, the fuse's stop. Each is one transaction,
repeated until the database answers.
"""

import logging
from collections.abc import Callable, Iterable, Mapping

from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.apply.fuse import Fuse
from neon_projector.consumer.apply.lock import enter_claim
from neon_projector.consumer.apply.watchdog import Watchdog
from neon_projector.consumer.errors import FuseBlown
from neon_projector.consumer.offsets import intake_stops, service_settings
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.claim import Claim, Positions
from neon_projector.consumer.offsets.intake_stops import ACCEPTED, FUSE, Stop, said_time, said_topic
from neon_projector.consumer.recovery.retrying import Retrying
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings

log = logging.getLogger(__name__)


class Claims:
    """One instance's way to the positions of its group. It remembers which stops it has seen, and logs each once."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: Settings,
        fuse: Fuse,
        retrying: Retrying,
        watchdog: Watchdog,
        on_claimed: Callable[[Mapping[TopicPartition, Claim]], None],
    ) -> None:
        self._engine, self._settings, self._fuse = engine, settings, fuse
        self._retrying, self._watchdog, self._on_claimed = retrying, watchdog, on_claimed
        self._group_id = settings.kafka_group_id
        self._seen: dict[str, Stop] = {}
        """The stops that were there when it was looked last, by key."""
        self._blown: set[str] = set()
        """Topics whose fuse this instance has blown, and logged, since they were read last."""

    async def claim(self, first: Positions, topic_ids: Mapping[str, str | None]) -> dict[TopicPartition, Claim]:
        """Take partitions over, to read them; `first` are the offsets at which those without a position start."""
        async with self._watchdog.watching():
            claims = await self._retrying.until_answered(lambda: self._claim(first, topic_ids))
        self._on_claimed(claims)
        return claims

    async def read(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Claim]:
        """The stored positions of `partitions`, to read on from them."""
        claims = await self.look(partitions)
        self._on_claimed(claims)
        return claims

    async def look(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Claim]:
        """The stored positions of `partitions`, to compare with."""
        return await self._retrying.until_answered(lambda: self._look(partitions))

    async def blow(self, blown: FuseBlown) -> None:
        """Stop the intake of a topic. Logged once, whatever number of batches and instances find out."""
        await self._retrying.until_answered(lambda: self._blow(blown))

    def is_blown(self, topics: Iterable[str]) -> bool:
        """Whether this instance has just stopped one of these itself."""
        return not self._blown.isdisjoint(topics)

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
        numbers = f"{blown.rejected:,} of {blown.records:,} records in a row are rejected"
        message = f"{numbers}, most of them as {blown.reason} from {blown.source}"
        with translated():
            async with self._engine.begin() as connection:
                new = await intake_stops.blow(connection, self._group_id, blown.topic, message)
        self._blown.add(blown.topic)
        if new:
            log.error(
                "the fuse has blown: nearly all records of a topic are rejected; its intake is stopped until: "
                "projector resume",
                extra={"topic": blown.topic, "rejected": blown.rejected, "records": blown.records}
                | {"reason": blown.reason, "source": blown.source},
            )

    async def _with_stops(
        self, connection: AsyncConnection, claims: Mapping[TopicPartition, Claim]
    ) -> dict[TopicPartition, Claim]:
        stops = await intake_stops.read(connection, self._group_id)
        await self._notice(connection, {stop.key: stop for stop in stops})
        for topic in {partition.topic for partition in claims}:
            if seconds := intake_stops.accepted_seconds(stops, topic):
                self._fuse.accept(topic, seconds)
        reasons = {partition.topic: intake_stops.reasons(stops, partition.topic) for partition in claims}
        return {partition: claim._replace(stop=reasons[partition.topic]) for partition, claim in claims.items()}

    async def _notice(self, connection: AsyncConnection, stops: Mapping[str, Stop]) -> None:
        """Log what is new: who has stopped what and why, who has lifted it, what is accepted."""
        seen, self._seen = self._seen, dict(stops)
        changed = [stop for key, stop in stops.items() if _identity(stop) != _identity(seen.get(key))]
        gone = [stop for key, stop in seen.items() if key not in stops and stop.reason != ACCEPTED]
        exempt = [(stop, t) for stop in stops.values() for t in set(stop.except_topics) - _exempt(seen.get(stop.key))]
        self._blown &= {stop.topic for stop in stops.values() if stop.reason == FUSE}
        by = await intake_stops.last_resume(connection) if gone or exempt else {}
        for stop in changed:
            self._said(stop)
        for stop in gone:
            log.info("intake goes on", extra={"topic": said_topic(stop.topic), "was": stop.reason, **by})
        for stop, topic in exempt:
            log.info("intake goes on, of this topic only", extra={"topic": topic, "was": stop.reason, **by})

    def _said(self, stop: Stop) -> None:
        told = {"topic": said_topic(stop.topic), "by": stop.actor, "why": stop.message, "since": said_time(stop.since)}
        if stop.reason == ACCEPTED:
            assert stop.until is not None
            log.info("rejections are accepted for a time", extra={**told, "until": said_time(stop.until)})
        elif not (stop.reason == FUSE and stop.topic in self._blown):  # else it was said when it blew
            log.warning("intake is stopped until: projector resume", extra={**told, "reason": stop.reason})


def _identity(stop: Stop | None) -> tuple[object, ...]:
    return () if stop is None else (stop.key, stop.reason, stop.actor, stop.since, stop.message)


def _exempt(stop: Stop | None) -> frozenset[str]:
    return frozenset() if stop is None else frozenset(stop.except_topics)
