"""How far each partition may be read ahead, within the memory that there is for all."""

from collections.abc import Mapping, Sequence, Set

from aiokafka import TopicPartition

from neon_projector.consumer.batching.buffer import Buffered

QUARTER = 4
LITTLE = 16
"""For less than this part of the room nothing is read: many small pieces cost more than large ones."""


def quotas(
    buffered: Mapping[TopicPartition, Buffered],
    behind: Set[TopicPartition],
    max_records: int,
    max_bytes: int,
    all_ends: bool = False,
) -> dict[TopicPartition, int]:
    """How many records further each may be read, given what is buffered of it; those earliest in time come first.

    Those `behind` have more in Kafka. Each may hold an equal part of a quarter of the room, so that it is known what
    comes next of it. As soon as something is known of all, the rest is for those that are earliest: as many of each as
    bring all of them up to one time. What is read of the others would only lie here until these have caught up. Half of
    the rest at a time: it is seen then how far they really came.

    Those at their ends are not asked in a backlog, that is where a quarter of the room is used, unless it is time for
    `all_ends`: what comes there is later than what waits, and the broker holds a fetch that finds nothing, and with it
    all others (`consumer.kafka.client.FETCH_WAIT_MS`).
    """
    records, size = sum(one.records for one in buffered.values()), sum(one.size for one in buffered.values())
    bytes_per_record = size / records if size else max((one.bytes_per_record for one in buffered.values()), default=0.0)
    room = min(max_records, int(max_bytes / bytes_per_record) if bytes_per_record else max_records)
    left, part = room - records, room // (QUARTER * (len(buffered) or 1)) + 1
    in_order = sorted(buffered.items(), key=lambda item: item[1].last)
    lagging = [(partition, one) for partition, one in in_order if partition in behind]
    level = _level(lagging, left // 2, part) if left > room // LITTLE else {}
    may = dict[TopicPartition, int]()
    for partition, one in in_order if records <= room // QUARTER or all_ends else lagging:
        more = level.get(partition, 0)
        if one.records <= part // QUARTER:
            more = max(more, part - one.records)
        if more > 0:
            may[partition] = more
    return may


def _level(in_order: Sequence[tuple[TopicPartition, Buffered]], left: int, part: int) -> dict[TopicPartition, int]:
    """How many records bring the earliest partitions to one time, `left` records in all, if they go on as before.

    None where nothing is known of one: it may be earlier than all. No less than `part` of each, and no more than four
    times an equal part: a pause or a burst would mislead.
    """
    if not in_order or not all(one.last or one.records for _, one in in_order):
        return {}
    rates, weighted, time, number = 0.0, 0.0, 0.0, 0
    for _, one in in_order:
        if number and one.last >= time:
            break
        rates, weighted, number = rates + one.records_per_ms, weighted + one.records_per_ms * one.last, number + 1
        time = (left + weighted) / rates if rates else one.last
    most = min(left, QUARTER * left // number)
    return {p: min(most, max(part, round(one.records_per_ms * (time - one.last)))) for p, one in in_order[:number]}
