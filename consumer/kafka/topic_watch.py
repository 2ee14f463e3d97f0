"""What each answer of the watch says of our topics: which are gone or recreated, and which partitions nobody reads."""

import time
from collections.abc import Iterable, Sequence

from aiokafka import TopicPartition

from neon_projector.consumer.kafka.client import Member
from neon_projector.consumer.kafka.consumer import GroupConsumer
from neon_projector.consumer.kafka.metadata import Metadata

GROUP_EACH = 3
"""Every so many answers the coordinator is asked who reads what; while a partition has nobody, at each."""
NO_ANSWER_SECONDS = 10.0
"""A partition that this instance wants to read, and whose fetches get no answer for so long, counts as not read."""


class TopicWatch:
    """Keeps `missing` and `unread` true; `look` is to be called with each answer."""

    def __init__(self, consumer: GroupConsumer, topics: Iterable[str]) -> None:
        self._consumer = consumer
        self.topics = sorted(set(topics))
        self._looks = 0
        self._answered: dict[TopicPartition, tuple[int | None, float]] = {}
        """When the last fetch was answered by its own account, and since when that has not changed."""
        self.members: Sequence[Member] = ()
        """The group's members, by the coordinator's last word; it always names us."""
        self.members_at: float | None = None
        """Unix time of that word."""
        self.missing: set[str] = set()
        """Topics that do not exist any more."""
        self.unread: dict[TopicPartition, str] = {}
        """Partitions that are not read: `no_leader`, `no_member` or `no_answer`."""

    async def look(self, metadata: Metadata) -> set[TopicPartition]:
        """Stop our partitions of topics that were recreated, and return them; find out what is read by nobody."""
        topics = metadata.topics
        changed = self._consumer.stop_recreated(topics)
        self.missing = set(self.topics) - topics.keys()
        partitions = {
            TopicPartition(name, n): led for name, topic in topics.items() for n, led in topic.leaders.items()
        }
        unread = dict.fromkeys(await self._nobodys(set(partitions)), "no_member")
        unread |= dict.fromkeys(self._unanswered(time.monotonic()), "no_answer")
        self.unread = unread | {partition: "no_leader" for partition, leader in partitions.items() if leader < 0}
        return changed

    async def _nobodys(self, partitions: set[TopicPartition]) -> set[TopicPartition]:
        self._looks += 1
        due = self.members_at is None or self._looks % GROUP_EACH == 0 or self._not_read(partitions)
        if due and (told := await self._consumer.members()) is not None:
            self.members, self.members_at = told, time.time()
        return set() if self.members_at is None else self._not_read(partitions)

    def _not_read(self, partitions: set[TopicPartition]) -> set[TopicPartition]:
        return partitions.difference(*(member.partitions for member in self.members))

    def _unanswered(self, now: float) -> list[TopicPartition]:
        answered = {}
        for partition in self._consumer.partitions.reading:
            at = self._consumer.records.fetcher.answered_at(partition)
            before = self._answered.get(partition)
            answered[partition] = before if before is not None and at is not None and at == before[0] else (at, now)
        self._answered = answered
        return [partition for partition, (_, since) in answered.items() if now - since > NO_ANSWER_SECONDS]
