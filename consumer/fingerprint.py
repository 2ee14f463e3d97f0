"""Fingerprints of records: they tell whether a topic is still the one whose records were applied."""

from collections.abc import Sequence
from hashlib import blake2b

from aiokafka import TopicPartition

from projections.event import Decoded
from projections.record import Record


def fingerprints(decoded: Sequence[Decoded]) -> dict[TopicPartition, str]:
    """The fingerprint of each partition's last record."""
    last: dict[tuple[str, int], Record] = {}
    for one in reversed(decoded):
        record = one.record
        if (record.topic, record.partition) not in last:
            last[record.topic, record.partition] = record
    return {TopicPartition(*partition): fingerprint(record) for partition, record in last.items()}


def fingerprint(record: Record) -> str:
    """`offset:digest`, the digest over timestamp, key and value."""
    digest = blake2b(record.timestamp.to_bytes(8, "big", signed=True), digest_size=16)
    for part in (record.key, record.value):
        digest.update(b"-" if part is None else len(part).to_bytes(4, "big") + part)
    return f"{record.offset}:{digest.hexdigest()}"


def offset_of(fingerprint_: str) -> int:
    """The offset of the record it was made of."""
    return int(fingerprint_.partition(":")[0])
