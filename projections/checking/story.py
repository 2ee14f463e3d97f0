"""What one entity's events of a file tell, version by version."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.checking.warnings import AFTER_DELETION, GAP, OWNER, TWICE
from neon_projector.projections.contract.projection import DELETED, PARTIAL, Kind


class Seen(NamedTuple):
    """One event, as far as it is compared with others."""

    line: int
    kind: Kind
    fields: Mapping[str, Any]
    expects: Mapping[str, Any]


Versions = dict[int, Seen | list[Seen]]
"""By version its content; the different ones, in the order of the lines, where there are several."""


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


def told(versions: Versions, state: Newest) -> Iterator[Problem]:
    """Warnings about the order of versions; `state` is the newest state then. What came before the file's first
    version is not known, and no gap. Of several contents the first that can be applied counts, as for the service: what
    becomes a dead letter uses up no version."""
    before: int | None = None
    for version, there in sorted(versions.items(), key=itemgetter(0)):
        chosen: Seen | None = None
        for event in there if isinstance(there, list) else [there]:
            if chosen is not None:
                if contradict(chosen, event):
                    yield TWICE.at(event.line, chosen.line, version=version)
            elif (refused := _refused(event, version, before, state)) is not None:
                yield refused
            else:
                chosen = event
                if event.kind is PARTIAL and before is not None and version > before + 1:
                    yield GAP.at(event.line, state.line, version=version, before=before)
                    state.columns = {}
        if chosen is not None:
            state.after(chosen)
            before = version


def _refused(event: Seen, version: int, before: int | None, state: Newest) -> Problem | None:
    """Why a partial event can't be applied to the version right before it; None where it can, or nobody knows."""
    if event.kind is not PARTIAL or before is None or version > before + 1:
        return None
    if state.deleted:
        return AFTER_DELETION.at(event.line, state.line, version=version, before=before)
    for column, value in event.expects.items():
        line, owner = state.columns.get(column, (None, value))
        if owner != value:
            return OWNER.at(event.line, line, version=version, before=before)
    return None


def contradict(first: Seen, second: Seen) -> bool:
    """Whether they can't both be this version: a complete event and a partial one may."""
    if (first.kind is DELETED) != (second.kind is DELETED):
        return True
    same = first.fields.keys() & second.fields.keys()
    if first.kind is second.kind and first.fields.keys() != second.fields.keys():
        return True
    return first.expects != second.expects or any(first.fields[name] != second.fields[name] for name in same)
