"""Applies one entity type's events of a batch inside an open transaction, in a fixed number of statements.

This is the fast path, which reads nothing first. Complete states go straight to the table, which takes the newest one
of an entity if the stored version is lower than the oldest one's, nothing of the entity is kept aside or parked, and
its parents are there. Where one is missing, and nothing at all is stored of the entity, they are kept aside. Partial
events change a row that is at the version before. The rest goes to the resolver.
"""

from collections.abc import Mapping, Set
from itertools import chain
from uuid import UUID

from neon_projector.consumer.apply.entities.access import Access
from neon_projector.consumer.apply.entities.parents import Parents
from neon_projector.consumer.apply.entities.plan import Written
from neon_projector.consumer.apply.entities.resolver import Resolver
from neon_projector.consumer.apply.entities.store import Aside
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.unit import Unit
from neon_projector.consumer.errors import NeedsMode
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.outcome import Outcome
from neon_projector.projections.state.grouping import Events, complete_states, merged_changes


class EntityWriter:
    """Writes one entity type's events."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def write(self, unit: Unit, events: Events) -> Written:
        """Apply `events` by id, each in order of arrival.

        Moved if the stored state has changed meanwhile. NeedsMode if the unit's mode does not allow what has to be
        done. TooLarge if too much is stored of more than one entity.
        """
        written, parents = Written(), Parents(unit, self._access)
        fast: Set[UUID] = frozenset()
        rest = events
        if unit.mode < Mode.EXCLUSIVE_RESOLVE:
            fast, aside = await self._write_fast(unit, events, parents)
            written.applied.extend(chain.from_iterable(events[i] for i in fast))
            written.parked.extend(chain.from_iterable(events[i] for i in aside))
            done = fast | aside if aside else fast
            rest = {i: own for i, own in events.items() if i not in done} if len(done) < len(events) else {}
        shown = fast
        if rest:
            resolver = Resolver(unit, self._access, parents)
            plan = await resolver.resolve(rest)
            resolver.acknowledge(written)
            shown = fast | plan.show.keys()
        if unit.waiting:
            relations = self._access.relations
            released = await relations.release_children(unit.connection, self._access.entity, list(shown))
            written.released[Outcome.APPLIED] += released
        return written

    async def _write_fast(self, unit: Unit, events: Events, parents: Parents) -> tuple[Set[UUID], Set[UUID]]:
        """Write what needs no look. Returns the ids of which the table took everything, and those kept aside."""
        newest, oldest = complete_states(events)
        aside: Set[UUID] = frozenset()
        if unit.mode is Mode.EXCLUSIVE:
            orphans = await parents.orphans(lambda column: {i: event.fields[column] for i, event in newest.items()})
            lonely = {i: newest.pop(i) for i in orphans}
            if lonely and not self._access.relations.children_of(self._access.entity):  # theirs may have to be marked
                asides = {
                    i: Aside({"id": i, "version": lonely[i].version, **lonely[i].fields}, *orphan)
                    for i, orphan in orphans.items()
                }
                aside = await self._access.store.put_unknown_aside(unit.connection, asides)
        taken = await self._take(unit, newest, oldest)
        if len(taken) + len(aside) == len(events):
            return taken, aside
        changes = merged_changes(events, self._access.projection.changeable)
        return taken | await self._access.store.change(unit.connection, changes), aside

    async def _take(self, unit: Unit, newest: Mapping[UUID, Event], oldest: Mapping[UUID, int]) -> Set[UUID]:
        """Write complete states. Beside other transactions parents are not looked up: the foreign key does that."""
        access = self._access
        left_out, moved = await access.store.take(unit.connection, list(newest.values()), oldest, unit.mode)
        if unit.waiting and await access.reader.contested(unit.connection, freeing=moved):
            raise NeedsMode(Mode.EXCLUSIVE_RESOLVE)
        return newest.keys() - left_out if left_out else newest.keys()
