"""Fingerprints of records: they tell whether a topic is still the one whose records were applied."""

from collections.abc import Mapping
from hashlib import blake2b

from aiokafka import TopicPartition

from neon_projector.projections.contract.record import Record


def fingerprints(last: Mapping[TopicPartition, Record]) -> dict[TopicPartition, str]:
    """The fingerprint of each partition's `last` record."""
    return {partition: fingerprint(record) for partition, record in last.items()}


def fingerprint(record: Record) -> str:
    """`offset:digest`, the digest over timestamp, key and value."""
    digest = blake2b(record.timestamp.to_bytes(8, "big", signed=True), digest_size=16)
    for part in (record.key, record.value):
        digest.update(b"-" if part is None else len(part).to_bytes(4, "big") + part)
    return f"{record.offset}:{digest.hexdigest()}"


def offset_of(fingerprint_: str) -> int:
    """The offset of the record it was made of."""
    return int(fingerprint_.partition(":")[0])
