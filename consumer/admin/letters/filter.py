"""Which dead letters are meant: one frozen choice, and the one place that makes SQL of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from neon_projector.consumer.logs.printable import spellings

KEY_BYTES = 100
"""No key that is an id, however it is written, is longer."""


def of_key(entity: str) -> str:
    """A condition on a dead letter: its record's key is the id `entity`, an expression of type uuid. As 16 bytes, or as
    text: with or without hyphens, in any case, also in quotes or braces."""
    digits = f"replace(CAST({entity} AS text), '-', '')"
    return f"""(octet_length(key) <= {KEY_BYTES} AND (key = uuid_send({entity})
        OR replace(lower(encode(key, 'escape')), '-', '') LIKE '%' || {digits} || '%'))"""


_CONDITIONS = {
    "ids": "id = ANY(CAST(:ids AS bigint[]))",
    "status": "status = :status",
    "reason": "reason = :reason",
    "source": "source = ANY(CAST(:source AS text[]))",
    "type": "type = ANY(CAST(:type AS text[]))",
    "topic": "topic = :topic",
    "entity": f"(entity_id = CAST(:entity AS uuid) OR {of_key('CAST(:entity AS uuid)')})",
    "since": "created_at >= :since",
    "until": "created_at < :until",
}


@dataclass(frozen=True)
class Filter:
    """Dead letters with all of these traits; what is None or empty does not matter.

    `entity` is the id of an entity: of letters that name it in their data or whose key it is, as a record that was no
    JSON names it in its key only. `source` and `type` are as stored, or as a terminal shows them. `since` and `until`
    are about the moment when the letter was made; `until` itself is not included.
    """

    ids: tuple[int, ...] = ()
    status: str | None = None
    reason: str | None = None
    source: str | None = None
    type: str | None = None
    topic: str | None = None
    entity: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What matters, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value not in (None, ())}

    @property
    def condition(self) -> str:
        """A condition on a row of `dead_letters`; `values` has its parameters."""
        return " AND ".join(["true", *(_CONDITIONS[name] for name in self.given)])

    @property
    def values(self) -> dict[str, Any]:
        given = self.given
        if self.ids:
            given["ids"] = list(self.ids)
        given |= {name: spellings(given[name]) for name in ("source", "type") if name in given}
        return given

    @property
    def kept(self) -> dict[str, Any]:
        """As JSON, for `operations.filter`; `of` is the way back."""
        plain = {name: str(value) if isinstance(value, UUID) else value for name, value in self.given.items()}
        return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in plain.items()}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """The filter that was `kept`."""
        given = dict(kept)
        for name, read in (("ids", tuple), ("entity", UUID), ("since", datetime.fromisoformat)):
            if name in given:
                given[name] = read(given[name])
        if "until" in given:
            given["until"] = datetime.fromisoformat(given["until"])
        return cls(**given)
