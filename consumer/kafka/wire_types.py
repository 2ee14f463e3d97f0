"""Types of Kafka's protocol that the client library lacks or takes many words for."""

from io import BytesIO

from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.types import CompactString, TaggedFields

TEXT = CompactString("utf-8")
"""Of the protocol's flexible versions (KIP-482)."""
TAGS = ("tags", TaggedFields)
"""The field at the end of each structure of these versions."""


class Uuid(AbstractType[bytes]):
    """16 bytes."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)
