"""Takes entities away of which no event tells how they are: what hangs on them waits for them again."""

from collections.abc import Collection
from uuid import UUID

from neon_projector.consumer.apply.entities.access import Access
from neon_projector.consumer.apply.entities.parents import Parents
from neon_projector.consumer.apply.entities.plan import Written
from neon_projector.consumer.apply.entities.resolver import Resolver
from neon_projector.consumer.apply.unit import Unit
from neon_projector.projections.contract.outcome import Outcome


async def withdraw(
    unit: Unit, access: Access, ids: Collection[UUID], shown: Collection[UUID], reason: str = "no_parent"
) -> Written:
    """In Mode.EXCLUSIVE_RESOLVE: delete the rows `shown` of the entities `ids`. Their children, also those that were
    hidden, are kept aside for `reason`; a state that waited for the unique value of one of them is shown. Their own
    states kept aside are not touched. Returns what became of those that are shown."""
    connection, written = unit.connection, Written()
    relations, store, rows = access.relations, access.store, list(shown)
    await access.reader.lock(connection, rows)
    await relations.hide_children(connection, access.entity, list(ids), reason)
    await store.delete(connection, rows)
    contested = await access.reader.contested(connection, rows) - set(ids)
    if contested:
        resolver = Resolver(unit, access, Parents(unit, access))
        plan = await resolver.resolve({one: [] for one in contested}, frozenset(contested))
        resolver.acknowledge(written)
        released = await relations.release_children(connection, access.entity, list(plan.show))
        written.released[Outcome.APPLIED] += released
    return written
