"""The original record of a dead letter: the stored one where that is whole, else the one in Kafka."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neon_projector.consumer.admin.lookup import Records
from neon_projector.consumer.stored_json import json_of
from neon_projector.projections.contract.dead_letter import TEXT_KEPT_CHARACTERS, VALUE_KEPT_BYTES
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.mask import MASK
from neon_projector.projections.contract.record import Record

Letter = Mapping[str, Any]
"""A row of `dead_letters`."""

LETTER_COLUMNS = 'id, topic, partition, "offset", sha256, key, value, value_length, headers, header_count, event_id'


@dataclass(frozen=True)
class KeptRecord:
    """A record made from its dead letter. Its timestamp is not kept, and decoding does not look at it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: int = 0


async def original(letter: Letter, records: Records, decode: Decoder) -> Record | None:
    """The record that was rejected; None where it is masked or cut here, and gone or another one in Kafka."""
    return _kept(letter) if is_whole(letter) else await _in_kafka(letter, records, decode)


def was_parked(letter: Letter) -> bool:
    """Whether it was parked before it was rejected: then nothing of the record was at hand, and its hash is of nothing.

    A record with neither value nor headers is ignored, never rejected, so there is no other such letter.
    """
    return letter["value"] is None and not json_of(letter["headers"])


async def frame(letter: Letter, records: Records, decode: Decoder) -> Record | None:
    """A record with the letter's key and headers as they came, whatever its value; None where they are masked or cut
    here, and the record is gone or another one in Kafka."""
    if not was_parked(letter) and _frame_is_whole(letter):
        return _kept(letter)
    return await _in_kafka(letter, records, decode)


async def _in_kafka(letter: Letter, records: Records, decode: Decoder) -> Record | None:
    """The record at its place, where that is still the one that came: a topic that was created again has another."""
    found = await records.at(letter["topic"], letter["partition"], letter["offset"])
    if found is None:
        return None
    if was_parked(letter):
        return found if getattr(decode(found), "event_id", None) == letter["event_id"] else None
    return found if hashlib.sha256(found.value or b"").digest() == letter["sha256"] else None


def is_whole(letter: Letter) -> bool:
    """Whether key, value and headers are kept as they were: neither masked, nor cut, nor put into other letters."""
    value = letter["value"] or b""
    return (
        not was_parked(letter)
        and len(value) == (letter["value_length"] or 0)
        and hashlib.sha256(value).digest() == letter["sha256"]
        and _frame_is_whole(letter)
    )


def _frame_is_whole(letter: Letter) -> bool:
    """Whether key and headers are."""
    key = letter["key"] or b""
    return (
        letter["header_count"] in (None, len(json_of(letter["headers"])))
        and not (len(key) >= VALUE_KEPT_BYTES or b"***" in key or b"\\" in key)
        and all(_is_plain(name) and _is_plain(text) for name, text in json_of(letter["headers"]))
    )


def _kept(letter: Letter) -> KeptRecord:
    headers = tuple((name, text.encode()) for name, text in json_of(letter["headers"]))
    return KeptRecord(letter["topic"], letter["partition"], letter["offset"], letter["key"], letter["value"], headers)


def _is_plain(text: str) -> bool:
    """Whether a header's kept text is surely its own; an empty one may have been null."""
    marks = (MASK.decode(), "\\", "\N{REPLACEMENT CHARACTER}")
    return 0 < len(text) < TEXT_KEPT_CHARACTERS and not any(mark in text for mark in marks)
