"""Kafka as this service sees it: partitions come and go, are claimed in Postgres, and give records in order.

Postgres alone says where to read from. A partition that is assigned stays paused until it is claimed there;
Kafka's committed offsets are a hint for lag tools. Nothing here leaves the group while work is slow: liveness is
the heartbeat's, so `max.poll.interval.ms` is as good as off.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from neon_projector.consumer.kafka.assignment import Partitions, Reading, names
from neon_projector.consumer.kafka.client import Member, group_member, leave, listen, members_of_group
from neon_projector.consumer.kafka.metadata import Topic, is_another, is_there
from neon_projector.consumer.kafka.records import Records
from neon_projector.consumer.kafka.renewal import until_lost
from neon_projector.consumer.kafka.watch import Watch
from neon_projector.consumer.offsets.claim import Claim, ClaimStore, Ids, Positions
from neon_projector.consumer.offsets.fingerprint import offset_of
from neon_projector.consumer.settings import Settings

log = logging.getLogger(__name__)


class GroupConsumer(ConsumerRebalanceListener):
    """The group member. `on_begun` hears from which positions partitions are read from now on; `on_revoked` is awaited
    before partitions are given up."""

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        on_begun: Callable[[Positions], None],
        on_revoked: Callable[[set[TopicPartition]], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._on_begun, self._on_revoked = on_begun, on_revoked
        self._client: AIOKafkaConsumer | None = None
        self.partitions = Partitions()
        self.joined = False
        self.rebalances = 0

    async def start(self) -> None:
        """Join the group; returns when partitions are assigned (maybe none)."""
        settings = self._settings
        self._client = group_member(settings)
        listen(self._client, self._watch)
        committed = settings.kafka_isolation_level == "read_committed"
        self.records = Records(self._client, committed, self.partitions)
        self._client.subscribe(sorted(set(settings.topics.values())), listener=self)
        try:
            await self._client.start()
        except BaseException:
            await self.stop()
            raise
        self.joined = True

    async def stop(self) -> None:
        """Leave the group."""
        if self._client is not None:
            client, self._client = self._client, None
            await leave(client)

    async def while_heard(self, work: Coroutine[Any, Any, None]) -> None:
        """Work with this client until cancelled, or until the watch finds that it hears no broker any more."""
        await until_lost(self._watch.lost, work)

    async def give_up_client(self) -> None:
        """Give up the client, as it hears nothing, and the partitions as in a rebalance; `start` makes another one."""
        log.warning("the Kafka client is replaced, from KAFKA_BOOTSTRAP_SERVERS: no broker answers it any more")
        await self.on_partitions_revoked(self.partitions.assigned)
        await self.stop()
        self._watch.renewed()

    @property
    def client(self) -> AIOKafkaConsumer:
        assert self._client is not None, "start first"
        return self._client

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self.client.pause(*assigned)
        self.records.fetcher.begin(len(assigned))
        self.partitions.assign(assigned)
        self.joined = True
        log.info("partitions assigned", extra={"partitions": names(assigned)})

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self.joined = False
        self.partitions.assign(())
        if revoked:
            self.rebalances += 1
            log.info("partitions revoked", extra={"partitions": names(revoked)})
            await self._on_revoked(revoked)

    async def settle_claims(self, claims: ClaimStore) -> None:
        """Claim what is newly assigned, read again what was fenced or stopped; then these partitions give records."""
        ours = self.partitions
        if not (ours.to_claim or ours.to_read):
            return
        topics = (await self._watch.ask()).topics
        ids = _ids(topics)
        if new := _there(ours.to_claim, topics):
            first, ends = await self._bounds(new)
            self._begin(await claims.claim(first, ids), first, ids, ends)
        if known := _there(ours.to_read, topics):
            first, ends = await self._bounds(known)
            self._begin(await claims.read(known), first, ids, ends)

    async def _bounds(self, partitions: list[TopicPartition]) -> tuple[Positions, Positions]:
        """The first offsets that Kafka has, and the ends."""
        return await self.client.beginning_offsets(partitions), await self.client.end_offsets(partitions)

    def _begin(self, claims: Mapping[TopicPartition, Claim], first: Positions, ids: Ids, ends: Positions) -> None:
        """Read from the claimed positions; where Kafka still has it, from the last record before, to see it again. Not
        where the position is beyond the end: Kafka says so itself, if it is asked for that."""
        begun = self.partitions.settle(claims)
        for partition, offset in begun.items():
            reading = self.partitions.reading[partition]
            reading.end = end = ends.get(partition, offset)
            before = offset if reading.fingerprint is None else offset_of(reading.fingerprint)
            earliest = first.get(partition, 0)
            if not earliest <= before < offset <= end:  # forgotten by Kafka, or the position was set by somebody
                reading.fingerprint, before = None, offset
            reading.last = reading.fingerprint
            self.client.seek(partition, before)
            if is_another(reading.topic_id, ids.get(partition.topic)):
                self._recreated(partition, reading)
            elif offset < earliest:
                self.records.stop(partition, "position_not_in_topic", offset)
            else:
                self.client.resume(partition)
        self._on_begun(begun)

    def stop_recreated(self, topics: Mapping[str, Topic]) -> set[TopicPartition]:
        """Stop what is read of topics that were created again, and return it: what was read last may be theirs."""
        changed, stopped = self.partitions.of_other_topics(_ids(topics)), self.partitions.stopped
        for partition in changed:
            reading = self.partitions.reading.get(partition)
            if reading is None:  # Kafka has told by its offsets already that something is wrong
                stopped[partition] = stopped[partition]._replace(reason="topic_changed")
            else:
                self._recreated(partition, reading)
        return changed

    def _recreated(self, partition: TopicPartition, reading: Reading) -> None:
        if reading.next_offset:
            self.records.stop(partition, "topic_changed", reading.next_offset)
        else:  # nothing was read of it: the claim takes the new id
            self.client.pause(partition)
            self.partitions.claim_again(partition)

    async def members(self) -> list[Member] | None:
        """All members of the group; None where the coordinator does not tell it now."""
        member = self._client if self.joined else None
        return member and await members_of_group(member, self._settings.kafka_group_id)

    def read_again(self, partitions: Iterable[TopicPartition]) -> None:
        """Go back to the stored positions: somebody else has moved them."""
        if ours := self.partitions.read_again(partitions):
            self.client.pause(*ours)

    def behind(self) -> list[TopicPartition]:
        """Partitions that have more in Kafka than was read so far, as far as is known."""
        return [p for p, reading in self.partitions.reading.items() if reading.next_offset < reading.end]

    def lag(self, positions: Positions) -> dict[TopicPartition, int]:
        """Records between what is applied and the last stable offset, as the last fetch told; none in an outage."""
        if self._watch.trouble is not None:
            return {}
        return {
            partition: max(0, stable - positions.get(partition, reading.next_offset))
            for partition, reading in self.partitions.reading.items()
            if (stable := self.records.fetcher.stands(partition)[1]) is not None
        }

    def unstable(self) -> dict[TopicPartition, tuple[int, int]]:
        """Where an open transaction holds records back: the last stable offset, and how many are behind it."""
        return {
            partition: (stable, end - stable)
            for partition in self.partitions.reading
            for stable, end in [self.records.fetcher.ends(partition)]
            if stable is not None and end is not None and stable < end
        }


def _there(partitions: Iterable[TopicPartition], topics: Mapping[str, Topic]) -> list[TopicPartition]:
    """Those that exist: asked for the offsets of another one, the client would wait for it."""
    return [partition for partition in partitions if is_there(partition, topics)]


def _ids(topics: Mapping[str, Topic]) -> Ids:
    return {name: topic.id for name, topic in topics.items()}
