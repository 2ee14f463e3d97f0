"""`verify --id --by-key` reads only where the keys go, and goes on to all where that does not explain what differs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID
from zlib import crc32

import pytest
from aiokafka import TopicPartition
from aiokafka.partitioner import murmur2
from typer.testing import CliRunner

from bench.events import Mix
from bench.publish import publish
from neon_projector.consumer.admin.verify.by_key import Keys, keys_of, partitions_with
from neon_projector.consumer.admin.watermarks import bounds_of
from neon_projector.consumer.cli.app import app
from neon_projector.consumer.environment import load_settings
from neon_projector.projections.registry import REGISTRY
from tests.operate.commands import printed, told
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.topics import grow
from tests.support.world import World

USER, CHILDLESS, DOCUMENT, STRAY, NEW = (UUID(int=number * 7919) for number in range(1, 6))
OWN = [a_user_event(id=USER), a_user_event(id=CHILDLESS), a_document_event(id=DOCUMENT, owner=USER)]
PARTITIONS = 8
"""Of each topic."""
Kinds = list[tuple[str, str]]


def partition_of(one: UUID, partitions: int = PARTITIONS) -> int:
    """Where Java's client sends the key."""
    return int(murmur2(str(one).encode()) & 0x7FFFFFFF) % partitions


BESIDE = next(one for n in range(99, 999) if partition_of(one := UUID(int=n)) == partition_of(DOCUMENT))
"""Nothing is stored of it; its key goes to the partition of the document."""


@pytest.fixture
async def keyed(world: World) -> World:
    """Some hundred entities in the tables, each in the partition of its key, and STRAY with a version elsewhere."""
    await world.create_topics(PARTITIONS)
    mix = Mix(users=150, documents=150, updates=0)
    await publish(world.bootstrap, world.topics, mix.events())
    await world.publish([a_record(event) for event in (*OWN, a_user_event(id=STRAY))])
    with running_projector(world.settings) as projector:
        await world.until_consumed(mix.total + len(OWN) + 1)
        assert projector.terminate() == 0
    return world


async def found(world: World, one: UUID, *more: str) -> tuple[Kinds, list[str] | None]:
    """What differs by `verify --id --by-key`, and the partitions that it has read."""
    report = await told(world, "verify", "--id", str(one), "--by-key", *more, exit_status=None)
    return sorted((d["table"], d["kind"]) for d in report["differences"]), report["by_key"]


async def test_only_where_the_keys_go_is_read_as_long_as_that_explains_what_differs(
    keyed: World, tmp_path: Path
) -> None:
    users, documents = f"{keyed.users}:{partition_of(USER)}", f"{keyed.documents}:{partition_of(DOCUMENT)}"
    assert await found(keyed, USER) == ([], [documents, users])
    said = await printed(keyed, "verify", "--id", str(USER), "--by-key")
    assert "only 2 of 16 partitions were read" in said.replace("\n", " ")
    await keyed.rows("UPDATE users SET name = 'forged' WHERE id = $1", USER)
    await keyed.rows("DELETE FROM documents WHERE id = $1", DOCUMENT)  # nothing hangs on a document
    assert await found(keyed, DOCUMENT) == ([("documents", "missing")], every(keyed, DOCUMENT))
    healed = await told(
        keyed, "rebuild", "--id", str(DOCUMENT), "--by-key", "--execute", "--undo", str(tmp_path / "undo")
    )
    assert (healed["healed"], healed["by_key"]) == (1, every(keyed, DOCUMENT))
    assert await found(keyed, USER) == ([("users", "different")], [documents, users])
    healed = await told(keyed, "rebuild", "--id", str(USER), "--by-key", "--execute", "--undo", str(tmp_path / "more"))
    assert (healed["healed"], healed["by_key"]) == (1, [documents, users])
    assert await found(keyed, USER) == ([], [documents, users])


def every(world: World, one: UUID) -> list[str]:
    """The partition of a document that nothing is stored of may be in either topic."""
    return [f"{topic}:{partition_of(one)}" for topic in (world.documents, world.users)]


async def test_what_that_does_not_explain_makes_it_read_all(keyed: World) -> None:
    await keyed.rows("UPDATE users SET version = 2 WHERE id = $1", CHILDLESS)  # newer than all that was read
    assert await found(keyed, CHILDLESS) == ([("users", "different")], None)
    await keyed.rows("UPDATE users SET version = 1 WHERE id = $1", CHILDLESS)
    await keyed.rows("DELETE FROM documents WHERE id = $1", DOCUMENT)  # only the topics know that it hung on the user
    assert await found(keyed, USER) == ([], [f"{keyed.users}:{partition_of(USER)}"])  # as it says
    assert await found(keyed, USER, "--id", str(BESIDE)) == ([("documents", "missing")], None)
    await keyed.rows("DELETE FROM users WHERE id = $1", USER)
    assert await found(keyed, USER) == ([("documents", "missing"), ("users", "missing")], None)
    added = "SELECT $1, 'new@example.com', name, is_active, now(), now(), 1 FROM users LIMIT 1"
    await keyed.rows(f"INSERT INTO users (id, email, name, is_active, created_at, updated_at, version) {added}", NEW)
    assert await found(keyed, NEW) == ([("users", "unexpected")], None)
    elsewhere = (partition_of(STRAY) + 1) % PARTITIONS
    await keyed.publish([a_record(a_user_event("updated", STRAY, 2, name="Second"))], partitioner=always(elsewhere))
    with running_projector(keyed.settings) as projector:
        await keyed.until_consumed(await keyed.end_offsets())
        assert projector.terminate() == 0
    whole = [f"{keyed.users}:{number}" for number in range(PARTITIONS)]
    assert await found(keyed, STRAY) == ([], whole)  # one record at an end of a partition contradicts the others


def always(partition: int) -> Callable[..., int]:
    return lambda *_: partition


def by_crc32(key: bytes, all_partitions: list[int], _available: list[int]) -> int:
    """As librdkafka does by default."""
    return all_partitions[crc32(key) % len(all_partitions)]


async def keys(world: World) -> tuple[str | None, frozenset[TopicPartition]]:
    """How the topic `users` is divided, and the partitions with USER."""
    positions: dict[TopicPartition, int] = await ends(world)
    told_by = await keys_of(load_settings(world.settings), REGISTRY, positions)
    assert told_by[world.documents] == Keys(None, frozenset({"document"}))  # there is no record
    one = told_by[world.users].partitioner
    only_users = {topic: own for topic, own in told_by.items() if topic == world.users}
    return one and one.name, partitions_with(only_users, {"user": frozenset({USER})}, positions)


async def ends(world: World) -> dict[TopicPartition, Any]:
    return {p: bounds.latest for p, bounds in (await bounds_of(load_settings(world.settings))).items()}


async def test_how_keys_are_divided_is_told_by_the_records_and_else_a_topic_is_read_whole(world: World) -> None:
    await world.create_topics(3)
    records = [a_record(a_user_event(id=UUID(int=n * 104729))) for n in range(1, 40)]
    whole = frozenset(TopicPartition(world.users, n) for n in range(3))
    await world.publish(records[:5], partitioner=by_crc32)
    assert await keys(world) == (None, whole)  # too few
    await world.publish(records, partitioner=by_crc32)
    where = crc32(str(USER).encode()) % 3
    assert await keys(world) == ("crc32 of the id with hyphens", frozenset({TopicPartition(world.users, where)}))
    await world.publish(records[:1], partitioner=always((crc32(records[0].key or b"") + 1) % 3))
    assert await keys(world) == (None, whole)


async def test_a_topic_that_got_more_partitions_is_read_whole(world: World) -> None:
    await world.create_topics(3)
    records = [a_record(a_user_event(id=UUID(int=n * 104729))) for n in range(1, 40)]
    await world.publish(records)
    assert (await keys(world))[0] == "murmur2 of the id with hyphens"
    await grow(world.bootstrap, world.users, 4)
    await world.publish(records)
    name, partitions = await keys(world)
    assert (name, len(partitions)) == (None, 4)


def test_it_is_of_an_id() -> None:
    for words in (["verify"], ["rebuild"], ["verify", "--recheck", "1"]):
        assert CliRunner().invoke(app, [*words, "--by-key"]).exit_code == 2
