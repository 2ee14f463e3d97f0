"""Why is an entity (not) there: its whole story, along everything it waits on, and a conclusion."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.explain.conclusion import conclude
from neon_projector.consumer.admin.explain.search import Searched, search
from neon_projector.consumer.admin.explain.stored import stored
from neon_projector.consumer.admin.explain.timeline import timeline
from neon_projector.consumer.admin.explain.waits_on import missing_versions, waits_on
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.projection import Registry

Row = dict[str, Any]

SEARCH_SECONDS = 10.0
"""So long the topics are read at most; 100,000 records and more a second."""


async def explain(
    engine: AsyncEngine, registry: Registry, settings: Settings, entity_id: UUID, seconds: float = SEARCH_SECONDS
) -> Row:
    """All that is known of one id: what `stored` and `waits_on` return, `missing_versions`, `timeline`, and from these
    `conclusion`, `next` (commands) and `waits` (whether something waits, was rejected, or is gone).

    Where the database has nothing, the topics are read for so many seconds (`in_topics`, `not_read`): what was written
    and deleted by hand looks there like what never came. TransientError where Postgres does not answer.
    """
    with translated():
        async with engine.connect() as connection:
            story = await stored(connection, registry, entity_id)
            story["missing_versions"] = missing_versions(story)
            story["waits_on"] = await waits_on(connection, registry, story["aside"])
    found = await _search(engine, registry, settings, story, seconds)
    story["in_topics"] = {str(one): [place._asdict() for place in own] for one, own in found.places.items()}
    story["not_read"] = found.gaps
    story["timeline"] = timeline(story, found)
    return {**story, **conclude(story, found, registry)._asdict()}


async def _search(engine: AsyncEngine, registry: Registry, settings: Settings, story: Row, seconds: float) -> Searched:
    """In the topics, for what the database has nothing of: the entity itself, and those at the end of a chain."""
    ids = [link["id"] for link in story["waits_on"] if link["reason"] in ("unknown", "no_base")]
    if not story["rows"] and not story["aside"]:
        ids.append(story["id"])
    return await search(engine, settings, registry, ids, seconds) if ids and seconds else Searched()
