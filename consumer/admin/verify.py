"""`verify`: are the tables what the topics say? Computed again, in memory, up to the positions of one snapshot.

It blocks nobody and changes nothing. First form: the newest state of every entity is held in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin import verify_waiting
from neon_projector.consumer.admin.verify_waiting import Waiting, hash_of
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.state.recompute import Recomputation

Row = tuple[int, int]
"""A row's version and a hash of its other columns."""


@dataclass(frozen=True)
class Difference:
    """One row that is not what it must be: `missing`, `unexpected` or `different`; versions where there are any."""

    table: str
    id: UUID
    kind: str
    expected_version: int | None
    found_version: int | None


@dataclass
class Report:
    """What was compared, and what differs."""

    records: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    waiting: int = 0
    """States kept aside and partial events that wait: they are compared, too."""
    left_out: int = 0
    """Entities whose place or state the events alone don't tell: contested addresses, two contents of one version, what
    the database refused when its turn came, and what was erased after the grace."""
    unprovable: list[str] = field(default_factory=list)
    """Partitions where Kafka lacks records up to the position, as `topic:partition: what is missing`."""


@dataclass
class _Snapshot:
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    rows: dict[str, dict[UUID, Row]] = field(default_factory=dict)
    waiting: Waiting = field(default_factory=Waiting)


async def verify(
    engine: AsyncEngine, settings: Settings, registry: Registry, progress: Callable[[int, int], None]
) -> Report:
    """Compare; `progress` gets records read, and records in all. TransientError where a server does not answer."""
    with translated():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            snapshot = await _take_snapshot(connection, settings.kafka_group_id, registry)
    settings = await as_the_service(engine, settings)
    computed, report = Recomputation(registry), Report()
    decode, reading = Decoder(registry, settings.event_max_bytes), Reread(settings, snapshot.positions, progress)
    with kafka_translated():
        async for records in reading.records():
            for record in records:
                computed.add(decode(record))
            report.records += len(records)
    report.unprovable = reading.unreadable
    _compare(registry, snapshot, computed, report)
    return report


async def _take_snapshot(connection: AsyncConnection, group_id: str, registry: Registry) -> _Snapshot:
    snapshot = _Snapshot()
    positions = text(f"SELECT topic, partition, next_offset FROM {OFFSETS} WHERE group_id = :group_id")
    for row in await connection.execute(positions, {"group_id": group_id}):
        snapshot.positions[TopicPartition(row.topic, row.partition)] = row.next_offset
    for projection in registry:
        columns = [c for c in projection.columns if c not in ("id", "version")]
        found = snapshot.rows[projection.entity] = {}
        select = text(f"SELECT id, version, {', '.join(columns)} FROM {projection.table_name}")
        async for row in await connection.stream(select):
            found[row[0]] = (row[1], hash(tuple(row[2:])))
    snapshot.waiting = await verify_waiting.take(connection, registry)
    return snapshot


def _compare(registry: Registry, snapshot: _Snapshot, computed: Recomputation, report: Report) -> None:
    waiting = snapshot.waiting
    left_out = computed.contested() | computed.disputed() | waiting.place_unknown | waiting.erased
    report.waiting = len(waiting.states) + len(waiting.events)
    for projection in registry:
        entity, table = projection.entity, str(projection.table.name)
        found = dict(snapshot.rows[entity])
        report.rows[table] = len(found)
        for shown in computed.shown(entity):
            row = found.pop(shown.id, None)
            if computed.below((entity, shown.id), left_out):
                report.left_out += 1
            elif row is None:
                report.differences.append(Difference(table, shown.id, "missing", shown.version, None))
            elif row != (shown.version, hash_of(shown.fields, projection)):
                report.differences.append(Difference(table, shown.id, "different", shown.version, row[0]))
        for entity_id, (version, _) in found.items():
            if not computed.below((entity, entity_id), left_out):
                report.differences.append(Difference(table, entity_id, "unexpected", None, version))
    waits = verify_waiting.compare(registry, snapshot.waiting, snapshot.rows, computed)
    report.differences += [Difference(*found) for found in waits]
