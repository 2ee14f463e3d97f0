"""`projector traffic`: who sends how much, by what a real broker has, beside the service and without a change."""

import asyncio
import re
import signal
from typing import Any
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.traffic.pace import Look, Pace, look, pace_of, positions_of, second_look
from neon_projector.consumer.admin.watermarks import bounds_of
from neon_projector.consumer.cli.database import asked
from neon_projector.consumer.environment import load_settings
from tests.operate.commands import printed, told
from tests.support.factories import ARecord, a_binary_record, a_document_event, a_record, a_user_event
from tests.support.projector import start
from tests.support.world import World

ONE = UUID("7b0c0f0e-6a0e-4c8e-9f57-0c5f3c3c1d11")


def of(source: str, event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "source": source}


async def publish(world: World, *events: dict[str, Any]) -> None:
    await world.publish([a_record(event) for event in events])


BAD = (
    ARecord(b'{"source": "/shop", "type": "user.created", "data": {"id": 1'),
    ARecord(None, str(ONE).encode()),
    ARecord(b"\xff"),
)
POSITION = "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ($1, $2, 0, 0)"


async def test_a_flood_of_good_events_is_told_by_its_source_its_type_and_its_entity(world: World) -> None:
    """Two publishers, and one floods; good records and bad ones, in both modes."""
    await world.create_topics(partitions=2)
    await world.publish([*(a_record(of("/shop", a_user_event("updated", ONE, n))) for n in range(2, 182)), *BAD])
    await world.publish([a_binary_record(of("/crm", a_user_event())) for _ in range(9)])
    await publish(world, *(of("/crm", a_document_event()) for _ in range(4)))
    answer = await told(world, "traffic")
    shown = await printed(world, "traffic", "--by", "entity", "--topic", world.users, "--to", "PT0S")
    users, documents = (next(one for one in answer["topics"] if one["topic"] == name) for name in world.topics.values())
    assert (users["records"], users["waiting"], documents["records"], documents["waiting"]) == (192, 192, 4, 4)
    assert (users["applied_per_second"], users["come_per_second"], users["measured_seconds"] >= 3) == (0, 0, True)
    most = users["most"]
    assert (most["source"], most["records"], most["entity_id"]) == ("/shop", 181, str(ONE))
    assert re.fullmatch(
        rf"/shop sends 94 % of {world.users}, [\d.]+/s, 99 % of them of {ONE}; "
        rf"the service has applied nothing of {world.users}",
        answer["verdict"],
    )
    rows = {(row["topic"], row["source"]): (row["records"], row["ids"], row["no_event"]) for row in answer["rows"]}
    assert rows == {
        (world.users, "/shop"): (181, 1, 0), (world.users, "/crm"): (9, 9, 0), (world.users, "-"): (2, 1, 2),
        (world.documents, "/crm"): (4, 4, 0),
    }  # fmt: skip
    assert shown.splitlines()[0].endswith(f"; 192 of {world.users} wait")
    assert re.search(rf"{ONE} +/shop +180 +94 %", shown)
    assert await world.rows("SELECT * FROM projector.offsets") == []
    assert await world.rows("SELECT * FROM projector.operations") == []


async def test_what_comes_and_is_applied_is_measured_by_two_looks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neon_projector.consumer.admin.traffic.pace.SECONDS", 0)
    settings = load_settings(world.settings)
    await world.create_topics()
    await world.publish_users(5)
    await world.rows(POSITION, world.group, world.users)

    async def looks(engine: AsyncEngine) -> tuple[Look, Look]:
        first = look(await positions_of(engine, settings), await bounds_of(settings))
        await world.publish_users(10)
        await world.rows("UPDATE projector.offsets SET next_offset = 4")
        return first, await second_look(engine, settings, first)

    first, second = await asked(settings, looks)
    pace, passed = pace_of([TopicPartition(world.users, 0)], first, second), second.at - first.at
    assert pace == Pace(10 / passed, 4 / passed, 11, pace.idle)
    assert 0 <= (pace.idle or 0) < 600


async def test_of_a_range_that_is_too_long_the_newest_part_is_read_and_all_where_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neon_projector.consumer.admin.traffic.traffic.SAMPLE", 10)
    monkeypatch.setattr("neon_projector.consumer.admin.traffic.pace.SECONDS", 0)
    await world.create_topics()
    await publish(world, *(of("/early", a_user_event()) for _ in range(30)))
    await publish(world, *(of("/late", a_user_event("deleted")) for _ in range(20)))
    sample, every = await told(world, "traffic"), await told(world, "traffic", "--all", "--by", "type", "--limit", "1")
    assert [(row["source"], row["records"]) for row in sample["rows"]] == [("/late", 10)]
    assert [(one["offsets_read"], one["offsets_asked"]) for one in sample["topics"] if one["records"]] == [(10, 50)]
    assert "read were the newest 10 of 50 records" in await printed(world, "traffic")
    assert [(row["source"], row["type"], row["records"]) for row in every["rows"]] == [("/early", "user.created", 30)]
    assert every["more_rows"] == 1
    part = await told(world, "traffic", "--topic", f"{world.users}:0", "--from", "25", "--to", "32")
    assert {row["source"]: row["records"] for row in part["rows"]} == {"/early": 5, "/late": 2}
    assert part["verdict"].startswith(f"/early sends 71 % of {world.users}:0")
    none = await told(world, "traffic", "--from", "2026-01-01T00:00:00Z", "--to", "P1D")
    assert (none["rows"], none["verdict"].startswith("no record of ")) == ([], True)


async def test_an_interrupt_ends_it(world: World) -> None:
    await world.create_topics()
    async with world.locked("projector.offsets"):
        runner = start("traffic", settings=world.settings)
        waits = "wait_event_type = 'Lock' AND datname = current_database()"
        await world.until(f"SELECT count(*)::int FROM pg_stat_activity WHERE {waits}", 1)
        runner.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(runner.wait, 60) == 130
