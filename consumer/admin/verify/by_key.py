"""Which partitions have the records of some ids: told by the keys of the records at both ends of each partition.

Kafka does not say how a publisher's client divides its keys. Where partitions were added, or another publisher divides
its keys another way, a record at an end is where the others say that it can't be: then the topic is read whole.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from aiokafka import TopicPartition

from neon_projector.consumer.admin.verify.snapshot import Positions
from neon_projector.consumer.admin.watermarks import Bounds, bounds_of
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.partitioners import Partitioner, partitioner_of
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry

SAMPLE = 200
"""Offsets at each end of each partition."""


class Keys(NamedTuple):
    """How the keys of a topic are divided (None: that can't be told), and of which entities there are records."""

    partitioner: Partitioner | None
    entities: frozenset[str]


async def keys_of(settings: Settings, registry: Registry, positions: Positions) -> dict[str, Keys]:
    """By topic that has a position. TransientError where Kafka does not answer."""
    bounds = await bounds_of(settings)
    known = {p: end for p, end in positions.items() if p in bounds}
    seen: dict[str, dict[int, dict[UUID, bytes | None]]] = defaultdict(lambda: defaultdict(dict))
    entities: dict[str, set[str]] = defaultdict(set)
    for projection in registry:
        entities[settings.topics[projection.topic_setting]].add(projection.entity)
    decode = decoder_of(settings, registry).all
    for start, end in _ends(known, bounds):
        with kafka_translated():
            async for records in Reread(settings, end, lambda *_: None, start, over_gaps=True).records():
                for one in decode(records):
                    if isinstance(one, Event):
                        seen[one.record.topic][one.record.partition][one.id] = one.record.key
                        entities[one.record.topic].add(one.entity)
    found = dict[str, Keys]()
    for topic in {partition.topic for partition in positions}:
        number = sum(partition.topic == topic for partition in bounds)
        found[topic] = Keys(partitioner_of(seen[topic], number) if number else None, frozenset(entities[topic]))
    return found


def partitions_with(
    keys: Mapping[str, Keys], ids: Mapping[str, frozenset[UUID]], positions: Positions
) -> frozenset[TopicPartition]:
    """Those of the positions that have the records of `ids`, which are by entity. Where that can't be told, all of the
    topic."""
    found = set[TopicPartition]()
    for topic, (partitioner, entities) in keys.items():
        if partitioner is None:
            found |= {partition for partition in positions if partition.topic == topic}
        else:
            own = frozenset[UUID]().union(*(ids.get(entity, ()) for entity in entities))
            found |= {TopicPartition(topic, partitioner.partition(one)) for one in own}
    return frozenset(found & positions.keys())


def _ends(
    positions: Positions, bounds: Mapping[TopicPartition, Bounds]
) -> list[tuple[dict[TopicPartition, int], dict[TopicPartition, int]]]:
    """From where up to where: the first records that Kafka has, and the last before the positions."""
    first = {p: bounds[p].earliest for p in positions}
    last = {p: min(end, bounds[p].latest) for p, end in positions.items()}
    heads = {p: min(last[p], first[p] + SAMPLE) for p in positions}
    tails = {p: max(heads[p], last[p] - SAMPLE) for p in positions}
    return [(first, heads), (tails, last)]
