"""Which partition a publisher's client sends a key to: told by the records that are there, as Kafka does not say it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple
from uuid import UUID
from zlib import crc32

from aiokafka.partitioner import murmur2

CHANCE = 10**6
"""So unlikely must it be that a guess fits the records by chance."""

_HASHES: dict[str, Callable[[bytes], int]] = {
    "murmur2": lambda key: int(murmur2(key)) & 0x7FFFFFFF,
    "crc32": crc32,
}
"""murmur2: the Java client, aiokafka, franz-go. crc32: librdkafka, kcat, confluent-kafka."""
KEYS: dict[str, Callable[[UUID], bytes]] = {
    "with hyphens": lambda entity_id: str(entity_id).encode(),
    "without hyphens": lambda entity_id: entity_id.hex.encode(),
    "with hyphens, in capitals": lambda entity_id: str(entity_id).upper().encode(),
}


class Partitioner(NamedTuple):
    """How keys are written (`form`: one of KEYS) and hashed; `partition` is the number for an id."""

    name: str
    form: str
    hash: Callable[[bytes], int]
    partitions: int

    def partition(self, entity_id: UUID) -> int:
        return self.hash(KEYS[self.form](entity_id)) % self.partitions


def partitioner_of(seen: Mapping[int, Mapping[UUID, bytes | None]], partitions: int) -> Partitioner | None:
    """The one that sends every key to the partition where it was seen; None where none does, or too few were seen.
    `seen` has by partition the ids of records there, and their keys."""
    if partitions ** sum(map(len, seen.values())) < CHANCE:
        return None
    for form, key in KEYS.items():
        if any(key(entity_id) != own for pairs in seen.values() for entity_id, own in pairs.items()):
            continue
        for name, hashed in _HASHES.items():
            one = Partitioner(f"{name} of the id {form}", form, hashed, partitions)
            if all(one.partition(entity_id) == number for number, pairs in seen.items() for entity_id in pairs):
                return one
    return None
