"""Why is an entity (not) there: its whole story, along everything it waits on, and a conclusion."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.all_rows import require_all_rows
from neon_projector.consumer.admin.explain.conclusion import conclude
from neon_projector.consumer.admin.explain.gone_with import Child, not_stored
from neon_projector.consumer.admin.explain.search import Read, Searched, records_of, search, searched
from neon_projector.consumer.admin.explain.steps import steps
from neon_projector.consumer.admin.explain.stored import stored
from neon_projector.consumer.admin.explain.timeline import timeline
from neon_projector.consumer.admin.explain.waits_on import missing_versions, waits_on
from neon_projector.consumer.admin.kept import kept_of
from neon_projector.consumer.admin.letters.edits import edits
from neon_projector.consumer.admin.watermarks import bounds_of
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.offsets.store import stored as positions_of_group
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry

Row = dict[str, Any]

SEARCH_SECONDS = 10.0
"""So long the topics are read at most; 100,000 records and more a second."""
FROM_TOPIC_SECONDS = 600.0
"""The same with `--from-topic`, where reading them is what is wanted."""


async def explain(
    engine: AsyncEngine, registry: Registry, settings: Settings, entity_id: UUID, seconds: float = SEARCH_SECONDS,
    *, from_topic: bool = False, progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Row:  # fmt: skip
    """All that is known of one id: what `stored` and `waits_on` return, `missing_versions`, `timeline`, and from these
    `conclusion`, `next` (commands) and `waits` (whether something waits, was rejected, or is gone).

    Where the database has nothing, the topics are read for so many seconds (`in_topics`, `not_read`): what was written
    and deleted by hand looks there like what never came. `gone_with_it` are then its children of which nothing is
    stored either. With `from_topic` the topics are read in any case, to their end, and `records` are the id's records,
    folded one by one. TransientError where Postgres does not answer; with `from_topic` also where Kafka does not.
    """
    await require_all_rows(engine, registry)
    with translated():
        async with engine.connect() as connection:
            story = await stored(connection, registry, entity_id)
            story["missing_versions"] = missing_versions(story)
            story["waits_on"] = await waits_on(connection, registry, story["aside"])
    ids = [link["id"] for link in story["waits_on"] if link["reason"] in ("unknown", "no_base")]
    if from_topic or not (story["rows"] or story["aside"]):
        ids.append(entity_id)
    if from_topic:
        positions, read = await _read(engine, registry, settings, ids, seconds, progress)
        story["records"] = steps(read.decoded, story, positions, registry.event_types, read.kept)
        found = searched(registry, ids, read, positions)
    else:
        found = await search(engine, settings, registry, ids, seconds) if ids and seconds else Searched()
    story["in_topics"] = {str(one): [place._asdict() for place in own] for one, own in found.places.items()}
    story["not_read"] = found.gaps
    story["gone_with_it"] = await _gone_with(engine, registry, found.children.get(entity_id, ()))
    story["timeline"] = timeline(story, found)
    return {**story, **conclude(story, found, registry)._asdict()}


async def _gone_with(engine: AsyncEngine, registry: Registry, children: Sequence[Child]) -> list[Row]:
    """What the records give to it as its parent, and what is not stored."""
    if not children:
        return []
    with translated():
        async with engine.connect() as connection:
            return [one._asdict() for one in await not_stored(connection, registry, children)]


async def _read(
    engine: AsyncEngine, registry: Registry, settings: Settings, ids: list[UUID], seconds: float,
    progress: Callable[[int, int], None],
) -> tuple[dict[TopicPartition, int], Read]:  # fmt: skip
    """The positions, and the records of `ids` up to the topics' ends."""
    stored_ones = await positions_of_group(engine, settings.kafka_group_id)
    positions = {partition: int(own["next_offset"]) for partition, own in stored_ones.items()}
    ends = {partition: bounds.latest for partition, bounds in (await bounds_of(settings)).items()}
    kept = await kept_of(engine, settings, positions)
    read = await records_of(engine, settings, registry, ends, ids, seconds, progress)
    read.tell(kept)
    mended = decoder_of(await as_the_service(engine, settings), registry).all([e.record for e in await edits(engine)])
    read.decoded += [one for one in mended if isinstance(one, Event) and one.id in ids]
    return positions, read
