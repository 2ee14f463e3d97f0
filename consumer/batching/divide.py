"""Divides a slice of the topics into batches, not yet decoded: parents' topics first, each partition in one."""

from collections.abc import Mapping, Sequence
from math import gcd

from neon_projector.consumer.batch import Fetched
from neon_projector.projections.contract.projection import Registry

TOGETHER = 2_000
"""Up to so many records go in one transaction, and batches of a divided slice have at least so many: to divide them
further would cost more than it brings."""
ENOUGH, ENOUGH_BYTES = 5_000, 3 * 1024 * 1024
"""Of many partitions so much goes together, where there is no more than that for each that may be under way: each
partition costs something in each transaction, and what is under way is in memory."""

Portion = Sequence[Fetched]
"""A batch before it is decoded: of each of its partitions the next records."""


def parent_depths(registry: Registry, topics: Mapping[str, str]) -> dict[str, int]:
    """By topic the parent depth of its entity: 0 without parents, else one more than its deepest parent. `topics` is by
    setting."""
    depth: dict[str, int] = {}
    for projection in registry:  # parents before children
        depth[projection.entity] = max((depth[parent.entity] + 1 for parent in projection.parents), default=0)
    return {topics[projection.topic_setting]: depth[projection.entity] for projection in registry}


def divide(parts: Portion, depths: Mapping[str, int], max_records: int, at_once: int) -> list[Portion]:
    """The batches in the order in which they may begin: of each parent depth up to `at_once`, about equally large.

    They have at most `max_records`, unless one partition alone has more; then there may be more batches.
    """
    if _count(parts) <= min(TOGETHER, max_records):
        return [parts] if parts else []
    by_depth: dict[int, list[Fetched]] = {}
    for part in parts:
        by_depth.setdefault(depths.get(part.partition.topic, 0), []).append(part)
    return [portion for _, group in sorted(by_depth.items()) for portion in _equally(group, max_records, at_once)]


def _equally(parts: Portion, max_records: int, at_once: int) -> list[Portion]:
    """Few partitions are put together by size; many are split by their numbers."""
    number = max(1, min(at_once, _count(parts) // min(TOGETHER, max_records)))
    if number == 1 or len(parts) < 2 * number:
        return _by_size(parts, max_records, number)
    step = gcd(*(part.partition.partition - parts[0].partition.partition for part in parts)) or 1
    return _by_number(parts, min(max_records, max(ENOUGH, _count(parts) // at_once)), step)


def _by_number(parts: Portion, most: int, step: int) -> list[Portion]:
    """Split by the lowest bit of the partition's number, then by the next one, until each batch is small enough.

    So the same partitions meet in every slice. That matters since a batch waits for all those before it that have a
    partition in common with it. An instance may have only every second or fourth partition, as others of the group have
    the rest: their numbers all differ by multiples of `step`, and the bits below it tell none of them apart.
    """
    if _count(parts) <= most and sum(part.size for part in parts) <= ENOUGH_BYTES:
        return [parts]
    if step > max(part.partition.partition for part in parts):  # one partition, or the same one of several topics
        return _by_size(parts, most, 1)
    halves: tuple[list[Fetched], list[Fetched]] = ([], [])
    for part in parts:
        halves[part.partition.partition // step % 2].append(part)
    return [portion for half in halves if half for portion in _by_number(half, most, 2 * step)]


def _by_size(parts: Portion, max_records: int, number: int) -> list[Portion]:
    """The largest partition first, each to the batch that has least so far."""
    portions: list[list[Fetched]] = [[] for _ in range(number)]
    for part in sorted(parts, key=lambda part: -len(part.records)):
        least = min(portions, key=_count)
        if least and _count(least) + len(part.records) > max_records:
            portions.append([part])
        else:
            least.append(part)
    return [sorted(portion, key=lambda part: part.partition) for portion in portions if portion]


def _count(parts: Portion) -> int:
    return sum(len(part.records) for part in parts)
