"""Dead letters given up: they stay, as discarded, and the trace keeps why."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.letters.filter import Filter
from neon_projector.consumer.admin.letters.lookup import Chosen
from neon_projector.consumer.admin.letters.superseded import Superseded, superseded
from neon_projector.consumer.admin.operations import audit as operations
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models.control.waiting import DEAD_LETTERS
from neon_projector.projections.contract.projection import Registry

_GIVE_UP = text(f"""
    UPDATE {DEAD_LETTERS} SET status = 'discarded'
    WHERE id = ANY(CAST(:id AS bigint[])) AND status = 'new' RETURNING id""")


async def discard(engine: AsyncEngine, which: Filter, last: int, why: str) -> Chosen:
    """Give up those of `which` that are still new, up to the id `last`; returns which were. Without any there is no
    trace."""
    update = text(f"""
        WITH given_up AS (
            UPDATE {DEAD_LETTERS} SET status = 'discarded'
            WHERE {which.condition} AND status = 'new' AND id <= :last RETURNING id
        ) SELECT count(*) AS number, min(id) AS first, max(id) AS last FROM given_up""")
    with translated():
        async with engine.begin() as connection:
            row = (await connection.execute(update, which.values | {"last": last})).one()
            done = Chosen(row.number, row.first or 0, row.last or 0)
            await _trace(connection, which, done, why)
    return done


async def discard_superseded(
    engine: AsyncEngine, registry: Registry, topics: Mapping[str, str], which: Filter, why: str, *, execute: bool
) -> list[Superseded]:
    """Give up those of `which` that are superseded; returns them. Without `execute` nothing is changed."""
    found: list[Superseded] = []
    with translated():
        async with engine.begin() as connection:
            async for page in superseded(connection, registry, topics, which):
                if execute and page:
                    ids = {"id": [one.id for one in page]}
                    given_up = set((await connection.execute(_GIVE_UP, ids)).scalars())
                    page = [one for one in page if one.id in given_up]  # noqa: PLW2901  another may have been faster
                found += page
            if execute:
                first, last = (found[0].id, found[-1].id) if found else (0, 0)
                await _trace(connection, which, Chosen(len(found), first, last), why, superseded=True)
    return found


async def _trace(connection: AsyncConnection, which: Filter, done: Chosen, why: str, **more: bool) -> None:
    if done.number:
        after = {"discarded": done.number, "first": done.first, "last": done.last, "why": why}
        await operations.record(connection, "dead-letters discard", before={"filter": which.kept | more}, after=after)
