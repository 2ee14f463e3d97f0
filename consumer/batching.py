"""Divides a slice of the topics into batches: parents' topics first, each partition in one of them."""

from collections.abc import Mapping, Sequence

from consumer.batch import Batch
from consumer.buffers import Part
from projections.projection import Registry

TOGETHER = 1_000
"""Up to so many records go in one transaction: to divide them would cost more than it brings."""


def generations(registry: Registry, topics: Mapping[str, str]) -> dict[str, int]:
    """By topic how many generations of parents its entity has; `topics` is by setting."""
    depth: dict[str, int] = {}
    for projection in registry:  # parents before children
        depth[projection.entity] = max((depth[parent.entity] + 1 for parent in projection.parents), default=0)
    return {topics[projection.topic_setting]: depth[projection.entity] for projection in registry}


def divide(parts: Sequence[Part], generation: Mapping[str, int], max_records: int) -> list[Batch]:
    """Batches of at most `max_records`, unless one part alone has more; in the order in which they may begin."""
    if sum(len(part.decoded) for part in parts) <= TOGETHER:
        return [_batch(parts, generation)] if parts else []
    bins: dict[int, list[list[Part]]] = {}
    for part in sorted(parts, key=lambda part: -len(part.decoded)):
        group = bins.setdefault(generation.get(part.fetched.partition.topic, 0), [])
        fitting = (one for one in group if _count(one) + len(part.decoded) <= max_records)
        chosen = next(fitting, None)
        if chosen is None:
            group.append([part])
        else:
            chosen.append(part)
    return [_batch(one, generation) for _, group in sorted(bins.items()) for one in group]


def _count(parts: Sequence[Part]) -> int:
    return sum(len(part.decoded) for part in parts)


def _batch(parts: Sequence[Part], generation: Mapping[str, int]) -> Batch:
    batch = Batch()
    for part in sorted(parts, key=lambda part: part.fetched.partition):
        batch.add(part.fetched, part.decoded)
    of = [generation.get(partition.topic, 0) for partition in batch.spans]
    batch.lowest, batch.highest = min(of), max(of)
    return batch
