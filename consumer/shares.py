"""How far each partition may be read ahead, within the memory that there is for all."""

from collections.abc import Collection, Mapping

from aiokafka import TopicPartition

from consumer.buffers import Held


def shares(
    held: Mapping[TopicPartition, Held], behind: Collection[TopicPartition], max_records: int, max_bytes: int
) -> dict[TopicPartition, int]:
    """How many records further each may be read, given what is held of it; those earliest in time come first.

    Those `behind` have more in Kafka. Half of the room is theirs in equal parts, so that it is known of each what comes
    next. As soon as it is, the rest is for the earlier half of them: what is read of the others would only lie here
    until these have caught up. When nothing is left, each of all may still hold an equal part of half the room: it will
    soon be the one that holds back all others.
    """
    records, size = sum(one.records for one in held.values()), sum(one.size for one in held.values())
    room = min(max_records, max_bytes * records // size if size else max_records)
    left, part, floor = room - records, room // (2 * max(1, len(behind))) + 1, room // (2 * max(1, len(held))) + 1
    in_order = sorted(held, key=lambda partition: held[partition].last)
    known = [partition for partition in in_order if partition in behind and held[partition].records]
    favoured = set(known[: (len(known) + 1) // 2] if len(known) == len(behind) else ())
    may = {
        p: max(min(part - held[p].records, left), floor - held[p].records, left if p in favoured else 0)
        for p in in_order
    }
    return {partition: more for partition, more in may.items() if more > 0}
