"""What a key or a subject is that does not name the entity."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from neon_projector.projections.contract.words.kinds import uuid_or_none


def kind_of_key(key: bytes, data: Mapping[str, Any], fields: Collection[str], event_id: str) -> str:
    """What `key` is, where it is not `data["id"]`: another field's id, the event's id, the id with something around it.

    `fields` are the names that may be shown: those of the contract.
    """
    if not key:
        return "an empty one"
    if len(key) == 16 and UUID(bytes=key) == uuid_or_none(data["id"]):
        return "its 16 bytes instead of its text"
    text = key.decode("utf-8", "replace")
    if (own := uuid_or_none(text)) is None:
        return _almost(text, str(data["id"]), len(key))
    if own == uuid_or_none(event_id):
        return "the CloudEvent's own id"
    same = sorted(name for name in fields if uuid_or_none(data.get(name)) == own)
    return f"data.{same[0]}" if same else "another UUID"


def _almost(text: str, entity_id: str, length: int) -> str:
    if text.strip().strip('"') == entity_id:
        return "the same in quotes" if '"' in text else "the same with a space or a line break"
    if text.startswith("\0"):
        return "a schema registry's framing"
    return "the same with more around it" if entity_id in text else f"{length} bytes that are no UUID"
