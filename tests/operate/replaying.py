"""What the tests of `projector replay` share: worlds whose service has applied records of every kind."""

from typing import Any
from uuid import uuid4

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from tests.support.factories import ARecord, a_document_event, a_record, a_user_event
from tests.support.projector import Process, running_projector, start
from tests.support.world import World

REPLAY = ("replay", "--all-topics", "--execute")
RECORDS = 240
"""In a world that is filled."""
TABLES = ("users", "documents", "projector.absent_states", "projector.parked_events", "projector.dead_letters")
LIVE = """
    SELECT topic, partition, next_offset, epoch, applied, superseded, parked, rejected, ignored, skipped
    FROM projector.offsets WHERE group_id NOT LIKE 'operation:%' ORDER BY 1, 2"""
LEFT = """
    SELECT (SELECT count(*) FROM pg_class WHERE relname ~ '^operation_[0-9]' AND relkind = 'r')
        + (SELECT count(*) FROM projector.offsets WHERE group_id LIKE 'operation:%')"""
OF_REPLAY = "WHERE group_id LIKE 'operation:%'"
REPLAYED = f"SELECT (SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets {OF_REPLAY})"
APPLIED = "SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets WHERE group_id NOT LIKE 'operation:%'"


async def everything(world: World) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, each with the transaction that made it."""
    return {table: await world.rows(f"SELECT xmin::text, * FROM {table} ORDER BY 2, 3, 4") for table in TABLES}


async def contents(world: World) -> dict[str, list[dict[str, Any]]]:
    """What the two tables show."""
    return {table: await world.rows(f"SELECT * FROM {table} ORDER BY id") for table in ("users", "documents")}


def of_every_kind() -> list[ARecord]:
    """Records that are shown, hidden, parked, contested, deleted, rejected and ignored when all are applied."""
    shown, gone, holder = uuid4(), uuid4(), uuid4()
    address = f"{holder.hex}@example.com"
    kept = [a_user_event(id=shown), a_user_event("updated", id=shown, version=2, name="Bo")]
    kept += [a_user_event(id=gone), a_document_event(owner=gone), a_user_event("deleted", id=gone, version=2)]
    kept += [a_user_event(id=holder, email=address), a_user_event(email=address)]
    kept += [
        a_document_event(owner=shown),
        a_document_event(owner=uuid4()),
        a_user_event("updated", version=7, name="C"),
    ]
    bad, ignored = ARecord(b"{", str(uuid4()).encode()), ARecord(None, str(uuid4()).encode())
    return [*map(a_record, kept), bad, ignored]


async def fill(world: World) -> None:
    """Apply records of every kind; the service is not running afterwards."""
    await world.create_topics(partitions=2)
    await world.publish([one for _ in range(20) for one in of_every_kind()])
    with running_projector(world.settings) as projector:
        await world.until_consumed(RECORDS)
        assert projector.terminate() == 0


async def delete(world: World, before: dict[TopicPartition, RecordsToDelete]) -> None:
    """As retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=world.bootstrap)
    await admin.start()
    try:
        await admin.delete_records(before)
    finally:
        await admin.close()


def begin(world: World, *words: str) -> Process:
    """The command, as a process of its own."""
    return start(*words, settings=world.settings)
