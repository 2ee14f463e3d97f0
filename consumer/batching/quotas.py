"""How far each partition may be read ahead, within the memory that there is for all."""

from collections.abc import Mapping, Sequence, Set

from aiokafka import TopicPartition

from neon_projector.consumer.batching.buffer import Buffered

QUARTER = 4
LITTLE = 16
"""For less than this part of the budget nothing is read: many small pieces cost more than large ones."""


def quotas(
    buffered: Mapping[TopicPartition, Buffered],
    behind: Set[TopicPartition],
    max_records: int,
    max_bytes: int,
    all_ends: bool = False,
) -> dict[TopicPartition, int]:
    """How many records further each may be read, given what is buffered of it; those earliest in time come first.

    Those `behind` have more in Kafka. Each may have an equal share of a quarter of the budget, so that it is known what
    comes next of it. As soon as something is known of all, the rest is for those that are earliest: as many of each as
    bring all of them up to one time. What is read of the others would only lie here until these have caught up. Half of
    the rest at a time: it is seen then how far they really came.

    An example: of a budget of 1,200 records 200 are used, all by C, which stands at 1,000 ms. A stands at 100 ms and B
    at 120 ms, and each has 10 records in a millisecond. Half of what is free, 500 records, brings both to 135 ms: A may
    be read 350 further, B 150, and C not at all.

    Those at their ends are not asked in a backlog, that is where a quarter of the budget is used, unless it is time for
    `all_ends`: what comes there is later than what waits, and the broker holds a fetch that finds nothing, and with it
    all others (`consumer.kafka.client.FETCH_WAIT_MS`).
    """
    used = sum(one.records for one in buffered.values())
    budget = _budget(buffered, used, max_records, max_bytes)
    free, equal_share = budget - used, budget // (QUARTER * (len(buffered) or 1)) + 1
    earliest_first = sorted(buffered.items(), key=lambda item: item[1].last_timestamp_ms)
    lagging = [(partition, one) for partition, one in earliest_first if partition in behind]
    catch_up = _catch_up(lagging, free // 2, equal_share) if free > budget // LITTLE else {}
    quota = dict[TopicPartition, int]()
    for partition, one in earliest_first if used <= budget // QUARTER or all_ends else lagging:
        number = catch_up.get(partition, 0)
        if one.records <= equal_share // QUARTER:
            number = max(number, equal_share - one.records)
        if number > 0:
            quota[partition] = number
    return quota


def _budget(buffered: Mapping[TopicPartition, Buffered], used: int, max_records: int, max_bytes: int) -> int:
    """How many records there is room for, if they are as large as those that are here, or were here last."""
    size = sum(one.size for one in buffered.values())
    bytes_per_record = size / used if size else max((one.bytes_per_record for one in buffered.values()), default=0.0)
    return min(max_records, int(max_bytes / bytes_per_record) if bytes_per_record else max_records)


def _catch_up(
    earliest_first: Sequence[tuple[TopicPartition, Buffered]], free: int, equal_share: int
) -> dict[TopicPartition, int]:
    """How many records bring the earliest partitions to one time, `free` records in all, if they go on as before.

    None where nothing is known of one: it may be earlier than all. No less than an equal share of each, and no more
    than four times an equal part of `free`: a pause or a burst would mislead.

    N partitions that stand at t with r records in a millisecond need the sum of r * (time - t) to reach `time`. So
    `time` is (free + sum of r * t) / sum of r; one more takes part in it as long as it stands before that time.
    """
    if not earliest_first or not all(one.last_timestamp_ms or one.records for _, one in earliest_first):
        return {}
    rates, weighted, time, number = 0.0, 0.0, 0.0, 0
    for _, one in earliest_first:
        if number and one.last_timestamp_ms >= time:
            break
        number += 1
        rates += one.records_per_ms
        weighted += one.records_per_ms * one.last_timestamp_ms
        time = (free + weighted) / rates if rates else one.last_timestamp_ms
    most = min(free, QUARTER * free // number)
    needed = {p: round(one.records_per_ms * (time - one.last_timestamp_ms)) for p, one in earliest_first[:number]}
    return {partition: min(most, max(equal_share, records)) for partition, records in needed.items()}
