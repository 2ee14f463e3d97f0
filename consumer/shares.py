"""How far each partition may be read ahead, within the memory that there is for all."""

from collections.abc import Mapping

from aiokafka import TopicPartition

from consumer.buffers import Held


def shares(
    held: Mapping[TopicPartition, Held], behind: int, max_records: int, max_bytes: int
) -> dict[TopicPartition, int]:
    """How many records further each may be read, given what is held of it; those behind in time come first.

    `behind` of them have more in Kafka. Half of the room is divided equally, so that it is known of each what comes
    next. The rest is for the half of the partitions that is behind: what is read of the others would only lie here
    until these have caught up.
    """
    records, size = sum(one.records for one in held.values()), sum(one.size for one in held.values())
    room = min(max_records, max_bytes * records // size if size else max_records)
    least, left = room // (2 * max(1, behind)) + 1, room - records
    favoured = (max(1, behind) + 1) // 2
    in_order = sorted(held, key=lambda partition: held[partition].last)
    may = {p: max(least - held[p].records, left if n < favoured else 0) for n, p in enumerate(in_order)}
    return {partition: more for partition, more in may.items() if more > 0}
