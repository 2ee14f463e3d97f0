"""What one entity's events of a file tell, version by version."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.checking.warnings import AFTER_DELETION, GAP, OWNER
from neon_projector.projections.contract.projection import DELETED, PARTIAL, Kind


class Seen(NamedTuple):
    """One event, as far as it is compared with others."""

    line: int
    kind: Kind
    fields: Mapping[str, Any]
    expects: Mapping[str, Any]


@dataclass
class Newest:
    """What the file tells of an entity's newest state: columns, each with the line that says so."""

    line: int = 0
    deleted: bool = False
    columns: dict[str, tuple[int, Any]] = field(default_factory=dict)

    def after(self, event: Seen) -> None:
        """Take the event in."""
        if event.kind is not PARTIAL:
            self.columns = {}
        self.line, self.deleted = event.line, event.kind is DELETED
        self.columns |= {name: (event.line, value) for name, value in event.fields.items()}


def told(versions: Mapping[int, Seen], state: Newest) -> Iterator[Problem]:
    """Warnings about the order of versions; `state` is the newest state then. What came before the file's first
    version is not known, and no gap."""
    before: int | None = None
    for version, event in sorted(versions.items()):
        if event.kind is PARTIAL and before is not None:
            if version > before + 1:
                yield GAP.at(event.line, state.line, version=version, before=before)
                state.columns = {}
            elif state.deleted:
                yield AFTER_DELETION.at(event.line, state.line, version=version, before=before)
                continue
            for column, value in event.expects.items():
                line, owner = state.columns.get(column, (None, value))
                if owner != value:
                    yield OWNER.at(event.line, line, version=version, before=before)
        state.after(event)
        before = version
