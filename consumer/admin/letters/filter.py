"""Which dead letters are meant: one frozen choice, and the one place that makes SQL of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

_CONDITIONS = {
    "ids": "id = ANY(CAST(:ids AS bigint[]))",
    "status": "status = :status",
    "reason": "reason = :reason",
    "source": "source = :source",
    "type": "type = :type",
    "topic": "topic = :topic",
    "entity": """(entity_id = CAST(:entity AS uuid)
        OR lower(encode(key, 'escape')) IN (CAST(CAST(:entity AS uuid) AS text), :entity_hex))""",
    "since": "created_at >= :since",
    "until": "created_at < :until",
}


@dataclass(frozen=True)
class Filter:
    """Dead letters with all of these traits; what is None or empty does not matter.

    `entity` is the id of an entity: of letters that name it in their data or whose key it is, as a record that was no
    JSON names it in its key only. `since` and `until` are about the moment when the letter was made; `until` itself is
    not included.
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
        if self.entity is not None:
            given["entity_hex"] = self.entity.hex
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
