"""Read your own writes: what became of a record, and whether a version is there, whatever a session knows already."""

import asyncio
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from neon_projector.models import Document, User
from neon_projector.models.reading import (
    Outcome,
    RecordAt,
    get_user,
    sync,
    wait_for_version,
    wait_until_all_applied,
    wait_until_applied,
)
from neon_projector.models.session import sync_session_factory
from tests.models.rows import Sessions, a_document, a_user, stored
from tests.support.servers import execute

POSITION = """
    INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ('{group}', 'users', 0, {at})
    ON CONFLICT (group_id, topic, partition) DO UPDATE SET next_offset = excluded.next_offset"""
LETTER = """INSERT INTO projector.dead_letters (topic, partition, "offset", sha256, headers, reason, error, status)
    VALUES ('{topic}', 0, {at}, sha256('{status}'), '[]', 'invalid_data', 'x', '{status}')"""
PARKED = """INSERT INTO projector.parked_events
    (entity, entity_id, version, type, data, event_id, source, topic, partition, "offset")
    VALUES ('user', gen_random_uuid(), 2, 'user.updated', '{{}}', 'x', 'x', 'users', 0, {at})"""
ASIDE = """INSERT INTO projector.absent_states (entity, id, version, reason)
    VALUES ('{entity}', '{id}', {version}, '{reason}')"""


def position(at: int, group: str = "neon-projector") -> str:
    return POSITION.format(at=at, group=group)


def asked(engine: AsyncEngine | Engine) -> threading.Event:
    """Set when the engine has executed a statement from here on."""
    seen = threading.Event()
    sync_engine = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    event.listen(sync_engine, "after_cursor_execute", lambda *_: seen.set())
    return seen


async def test_a_record_is_waited_for_until_the_position_is_past_it(database: str, reader: AsyncEngine) -> None:
    await execute(database, position(7), position(100, group="another"))
    first_question = asked(reader)
    waiting = asyncio.create_task(wait_until_applied(reader, "users", 0, 7, timeout=60))
    await asyncio.to_thread(first_question.wait, 30)
    assert not waiting.done()
    await execute(database, position(8))
    assert await waiting is Outcome.APPLIED
    assert await wait_until_applied(reader, "users", 0, 99, group_id="another", timeout=0) is Outcome.APPLIED


async def test_what_became_of_each_of_many_records(database: str, reader: AsyncEngine, sync_reader: Engine) -> None:
    letters = [LETTER.format(topic=t, at=at, status=s) for t, at, s in (
        ("users", 1, "new"), ("users", 2, "resolved"), ("users", 3, "discarded"), ("others", 4, "new"),
        ("users", 5, "resolved"), ("users", 5, "new"), ("users", 20, "new"),
    )]  # fmt: skip
    await execute(database, position(10), *letters, PARKED.format(at=6))
    expected = {0: "applied", 1: "rejected", 2: "applied", 3: "rejected", 4: "applied", 5: "rejected", 6: "parked"}
    records = [RecordAt("users", 0, offset) for offset in expected]
    found = await wait_until_all_applied(reader, records, timeout=0)
    assert {record.offset: outcome for record, outcome in found.items()} == expected
    assert sync.wait_until_all_applied(sync_reader, records, timeout=0) == found
    assert sync.wait_until_applied(sync_reader, "users", 0, 6, timeout=0) is Outcome.PARKED
    assert await wait_until_all_applied(reader, []) == {}
    with pytest.raises(TimeoutError, match=r"users:0 is at 10, and 20 is waited for$"):
        await wait_until_all_applied(reader, [*records, RecordAt("users", 0, 20)], timeout=0.05)
    with pytest.raises(ValueError, match="at most 1000 records"):
        await wait_until_all_applied(reader, [RecordAt("users", 0, offset) for offset in range(1001)])


async def test_who_waits_in_vain_is_told_why(database: str, reader: AsyncEngine, sync_reader: Engine) -> None:
    with pytest.raises(TimeoutError, match=r"within 0.02 s: the group neon-projector has no position in users:0"):
        await wait_until_applied(reader, "users", 0, 7, timeout=0.02)
    await execute(database, position(8))
    assert await wait_until_applied(reader, "users", 0, 7) is Outcome.APPLIED
    await execute(database, position(3))  # a reset
    with pytest.raises(TimeoutError, match="users:0 is at 3, and 7 is waited for"):
        await wait_until_applied(reader, "users", 0, 7, timeout=0)
    stop = "INSERT INTO projector.intake_stops (group_id, topic, reason, except_topics) VALUES ('neon-projector', {})"
    for values, stopped in (
        ("'users', 'paused', NULL", True),
        ("'*', 'paused', NULL", True),
        ("'fuse:users', 'fuse', NULL", True),
        ("""'*', 'paused', '["users"]'""", False),
        ("'accepted:users', 'accepted', NULL", False),
        ("'documents', 'paused', NULL", False),
    ):
        await execute(database, "DELETE FROM projector.intake_stops", stop.format(values))
        with pytest.raises(TimeoutError) as told:
            sync.wait_until_applied(sync_reader, "users", 0, 7, timeout=0)
        assert ("intake of the topic is stopped" in str(told.value)) is stopped, values


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (RecordAt("users", 0, -1), "offset must be 0 to"),  # what a producer has for a record that was not sent
        (RecordAt("users", 0, -1001), "offset must be 0 to"),
        (RecordAt("users", 0, 2**63), "offset must be 0 to"),
        (RecordAt("users", -1, 0), "partition must be 0 to"),
        (RecordAt("users", 2**31, 0), "partition must be 0 to"),
        (RecordAt("use\0rs", 0, 0), "topic: a text has no NUL"),
    ],
)
async def test_no_record_is_waited_for_that_can_not_be(reader: AsyncEngine, record: RecordAt, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        await wait_until_all_applied(reader, [RecordAt("users", 0, 0), record], timeout=0)


async def test_no_version_and_no_group_that_can_not_be(reader: AsyncEngine, sessions: Sessions) -> None:
    with pytest.raises(ValueError, match="group_id: a text has no NUL"):
        await wait_until_applied(reader, "users", 0, 0, group_id="\ud800", timeout=0)
    for version in (-1, 2**63):
        async with sessions() as session:
            with pytest.raises(ValueError, match="version must be 0 to"):
                await wait_for_version(session, User, uuid4(), version, timeout=0)


async def test_a_session_that_has_waited_reads_what_is_new(
    database: str, writers: Sessions, sessions: Sessions, sync_reader: Engine
) -> None:
    (ada,) = await stored(writers, a_user())
    await execute(database, position(8))
    change = f"UPDATE users SET name = name || '!', version = version + 1 WHERE id = '{ada}'"
    async with sessions() as session:
        before = await get_user(session, ada)
        await execute(database, change)
        assert await wait_until_applied(session, "users", 0, 7) is Outcome.APPLIED
        after = await get_user(session, ada)
        assert before is not None
        assert after is not None
        assert ((before.name, before.version), (after.name, after.version)) == (("Ada", 1), ("Ada!", 2))
    with sync_session_factory(sync_reader)() as reading:
        assert sync.get_user(reading, ada) is not None
        await execute(database, change)
        assert sync.wait_until_applied(reading, "users", 0, 7) is Outcome.APPLIED
        found = sync.get_user(reading, ada)
        assert found is not None
        assert found.version == 3


async def test_what_a_session_is_to_write_stays_in_it(database: str, writers: Sessions) -> None:
    ada, bob = await stored(writers, a_user(1), a_user(2))
    await execute(database, position(8))
    async with writers() as session:
        changed, new, gone = await get_user(session, ada), a_user(3), await get_user(session, bob)
        assert changed is not None
        changed.name = "Grace"
        session.add(new)
        await session.delete(gone)
        assert await wait_until_applied(session, "users", 0, 7) is Outcome.APPLIED
        await session.commit()
    async with writers() as session:
        assert await get_user(session, bob) is None
        found = await get_user(session, ada), await get_user(session, new.id)
        assert [user.name for user in found if user] == ["Grace", "Ada"]


async def test_a_version_is_waited_for_past_what_the_session_knows(
    database: str, reader: AsyncEngine, writers: Sessions, sessions: Sessions, sync_reader: Engine
) -> None:
    (ada,) = await stored(writers, a_user())
    change = f"UPDATE users SET name = 'Grace', version = 3 WHERE id = '{ada}'"
    async with sessions() as session:
        known = await wait_for_version(session, User, ada, 1)
        assert known is not None
        first_question = asked(reader)
        waiting = asyncio.create_task(wait_for_version(session, User, ada, 2, timeout=60))
        await asyncio.to_thread(first_question.wait, 30)
        await execute(database, change)
        assert await waiting is known
        assert (known.name, known.version) == ("Grace", 3)
    with sync_session_factory(sync_reader)() as reading:
        found = sync.wait_for_version(reading, User, ada, 3, timeout=0)
        assert found is not None
        assert found.name == "Grace"


async def test_a_version_that_does_not_come_has_a_reason(database: str, writers: Sessions, sessions: Sessions) -> None:
    (ada,) = await stored(writers, a_user())
    (notes,) = await stored(writers, a_document(ada, content="long"))

    async def waited(table: Any, entity_id: UUID, version: int) -> Any:
        async with sessions() as session:
            return await wait_for_version(session, table, entity_id, version, timeout=0.02)

    async def aside(entity: str, entity_id: UUID, version: int, reason: str) -> None:
        await execute(database, ASIDE.format(entity=entity, id=entity_id, version=version, reason=reason))

    with pytest.raises(TimeoutError, match=r"^version 2 is not there within 0.02 s$"):
        await waited(User, ada, 2)
    whole = await waited(Document, notes, 1)
    assert whole.content == "long"
    await aside("user", ada, 3, "contested")
    assert (await waited(User, ada, 1)).version == 1
    with pytest.raises(TimeoutError, match=r"kept aside \(contested\)"):
        await waited(User, ada, 2)
    gone, orphan = uuid4(), uuid4()
    await aside("document", gone, 3, "deleted")
    await aside("document", orphan, 3, "no_parent")
    assert await waited(Document, gone, 2) is None
    with pytest.raises(TimeoutError, match=r"s$"):
        await waited(Document, gone, 4)
    with pytest.raises(TimeoutError, match=r"kept aside \(no_parent\)"):
        await waited(Document, orphan, 3)
    with pytest.raises(TimeoutError, match=r"s$"):
        await waited(User, gone, 2)


async def test_in_a_snapshot_nobody_waits(database: str, reader: AsyncEngine, sync_reader: Engine) -> None:
    await execute(database, position(8))
    frozen = reader.execution_options(isolation_level="REPEATABLE READ")
    async with AsyncSession(frozen) as session:
        for wait in (wait_for_version(session, User, uuid4(), 1), wait_until_applied(session, "users", 0, 7)):
            with pytest.raises(ValueError, match="repeatable read sees nothing new: give it the engine"):
                await wait
    assert await wait_until_applied(frozen, "users", 0, 7) is Outcome.APPLIED
    serializable = sync_reader.execution_options(isolation_level="SERIALIZABLE")
    with sync_session_factory(serializable)() as session, pytest.raises(ValueError, match="serializable"):
        sync.wait_for_version(session, User, uuid4(), 1)
