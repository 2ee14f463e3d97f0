"""Reads on from the stored positions: if somebody else changed them, if the fuse has blown, where it may go on."""

import asyncio
import logging

from aiokafka import TopicPartition

from neon_projector.consumer.apply.claims import Claims
from neon_projector.consumer.batch import Batch
from neon_projector.consumer.batching.batcher import Batcher
from neon_projector.consumer.errors import Fenced, FuseBlown, PositionsMoved
from neon_projector.consumer.kafka.consumer import GroupConsumer
from neon_projector.consumer.kafka.force_rebalance import Others
from neon_projector.consumer.offsets.position_check import PositionCheck

log = logging.getLogger(__name__)

STOPPED_LOOK_SECONDS = 2.0
"""How often stopped partitions are checked for whether they may go on; only while there are any."""


class Rewind:
    """Takes partitions back to their stored positions."""

    def __init__(
        self,
        consumer: GroupConsumer,
        batcher: Batcher,
        claims: Claims,
        check: PositionCheck,
        others: Others,
    ) -> None:
        self._consumer, self._batcher, self._claims = consumer, batcher, claims
        self._check, self._others = check, others

    async def fenced(self, batch: Batch, error: Fenced | PositionsMoved) -> bool:
        """Read on from the stored positions: of this batch, and of all partitions that differ. Returns whether somebody
        else changed them (another instance, a stop, a reset); otherwise this instance's own fuse has blown."""
        moved, lost = await self._check.find_moved(self._claims.look)
        again = moved | batch.parts.keys()
        if by_another := not self._claims.is_blown(partition.topic for partition in again):
            log.warning("somebody else changed the positions; reading them again", extra={"error": str(error)})
        self._read_again(again)
        if lost:
            self._others.tell(self._consumer.client)
        return by_another

    async def fuse_blown(self, batch: Batch, blown: FuseBlown) -> None:
        """Stop the topic whose fuse has blown; what the batch has of others is read again, and goes on."""
        await self._claims.blow(blown)
        of_topic = {partition for partition in self._consumer.partitions.reading if partition.topic == blown.topic}
        self._read_again(of_topic | batch.parts.keys())

    async def look_at_stopped(self) -> None:
        """Ask now and then whether what is stopped may go on, until cancelled: an operator may have decided."""
        while True:
            await asyncio.sleep(STOPPED_LOOK_SECONDS)
            self._consumer.read_again(list(self._consumer.partitions.stopped))

    def _read_again(self, partitions: set[TopicPartition]) -> None:
        self._consumer.read_again(partitions)
        self._batcher.drop(partitions)
