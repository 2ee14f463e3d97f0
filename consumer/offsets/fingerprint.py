"""Fingerprints of records: they tell whether a topic is still the one whose records were applied."""

from hashlib import blake2b

from neon_projector.projections.contract.record import Record


def fingerprint(record: Record) -> str:
    """`offset:digest`, the digest over timestamp, key and value."""
    digest = blake2b(record.timestamp.to_bytes(8, "big", signed=True), digest_size=16)
    for part in (record.key, record.value):
        digest.update(b"-" if part is None else len(part).to_bytes(4, "big") + part)
    return f"{record.offset}:{digest.hexdigest()}"


def offset_of(fingerprint_: str) -> int:
    """The offset of the record it was made of."""
    return int(fingerprint_.partition(":")[0])
