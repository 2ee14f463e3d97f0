"""How far each partition may be read ahead, within the memory that there is for all."""

from collections.abc import Mapping, Set

from aiokafka import TopicPartition

from consumer.buffers import Held

QUARTER = 4
SOME = 4
"""Of up to twice so many partitions half are read at once: with one alone each batch of it would cost a round trip."""
LITTLE = 16
"""For less than this part of the room nothing is read: many small pieces cost more than large ones."""


def shares(
    held: Mapping[TopicPartition, Held],
    behind: Set[TopicPartition],
    max_records: int,
    max_bytes: int,
    all_ends: bool = False,
) -> dict[TopicPartition, int]:
    """How many records further each may be read, given what is held of it; those earliest in time come first.

    Those `behind` have more in Kafka. Each may hold an equal part of a quarter of the room, so that it is known what
    comes next of it; it is filled up when little is left. As soon as something is here of all, the rest is for the
    earliest quarter of them, or half of a few: what is read of the others would only lie here until these have caught
    up. One alone takes but four equal parts of that, since those of which nothing has come are still earlier.

    Those at their ends are not asked in a backlog, that is where a quarter of the room is used, unless it is time for
    `all_ends`: what comes there is later than what waits, and the broker holds a fetch that finds nothing, and with it
    all others (`consumer.source.FETCH_WAIT_MS`).
    """
    records, size = sum(one.records for one in held.values()), sum(one.size for one in held.values())
    room = min(max_records, max_bytes * records // size if size else max_records)
    left, part = room - records, room // (QUARTER * (len(held) or 1)) + 1
    in_order = sorted(held, key=lambda partition: held[partition].last)
    may = {p: part - number for p in in_order if (number := held[p].records) <= part // QUARTER}
    if records > room // QUARTER and not all_ends:
        may = {partition: more for partition, more in may.items() if partition in behind}
    known = [partition for partition in in_order if held[partition].records and partition in behind]
    if len(known) == len(behind) and left > room // LITTLE:
        first = known[: max(len(known) // QUARTER, min(SOME, (len(known) + 1) // 2))]
        may |= dict.fromkeys(first, min(left, QUARTER * left // (len(first) or 1)))
    return {partition: more for partition, more in may.items() if more > 0}
