"""Service and commands where every default is hostile: what they do and say is the same."""

from dataclasses import replace
from uuid import uuid4

import asyncpg

from tests.operate.commands import told
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.hostile import ELSEWHERE, WORST, set_defaults
from tests.support.projector import running_projector
from tests.support.world import World


async def test_no_default_changes_what_the_service_and_its_commands_do(world: World) -> None:
    await world.create_topics()
    connection = await asyncpg.connect(world.database_url)
    await connection.execute(ELSEWHERE)
    await connection.close()
    hostile = replace(world, database_url=await set_defaults(world.database_url, WORST, "url"))
    user, orphan = uuid4(), uuid4()
    await world.publish([a_record(a_user_event(id=user)), a_record(a_user_event(version=0))])
    await world.publish([a_record(a_document_event(owner=user)), a_record(a_document_event(id=orphan))])
    with running_projector(hostile.settings) as projector:
        await world.until_consumed(4)
        assert (await told(hostile, "verify"))["differences"] == []
        status = await told(hostile, "status")
        assert sum(one["lag"] for one in status["partitions"]) == 0
        explained = await told(hostile, "explain", str(orphan), exit_status=1)
        assert [one["reason"] for one in explained["aside"]] == ["no_parent"]
        assert len(await told(hostile, "parked", "list")) == 1
        assert len(await told(hostile, "dead-letters", "list")) == 1
        await told(hostile, "dead-letters", "retry", "--all", "--execute", "--yes", exit_status=1)
        assert await world.value("SELECT attempts FROM projector.dead_letters") == 2
        await told(hostile, "offsets", "reset", "--all-topics", "--to-earliest", "--execute", "--yes")
        await told(hostile, "pause")
        await told(hostile, "resume")
        await world.publish_users(1)
        await world.until("SELECT count(*)::int FROM users", 2)
        await told(hostile, "parked", "discard", str(orphan), "--execute", "--yes")
        assert await world.value("SELECT count(*) FROM projector.absent_states") == 0
        assert projector.terminate() == 0
    for table in ("users", "documents"):
        assert await world.value(f"SELECT count(*) FROM elsewhere.{table}") == 0
