"""Many wait for few: what is released and hidden at once takes no longer than twice the plain path."""

import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.races.stepping import Writer
from tests.support.factories import a_document_event, a_user_event

ADA = UUID(int=1)
MILLION = 1_000_000
PLAIN = 50_000
AT_ONCE = 5_000

PARKED = """
    INSERT INTO projector.absent_states (entity, id, version, state, reason, waiting_for)
    SELECT 'document', i, 1, jsonb_build_object('id', i, 'title', 'Document', 'content', 'Some text of a document.',
        'user_id', $2::uuid, 'created_at', now(), 'updated_at', now(), 'version', 1), 'no_parent', $2::uuid
    FROM (SELECT gen_random_uuid() AS i FROM generate_series(1, $1)) AS s"""


@pytest.fixture
async def writer(database: str) -> AsyncIterator[Writer]:
    one = Writer(database, 0)
    yield one
    await one.engine.dispose()


async def test_a_million_documents_of_one_user_are_released_and_hidden(database: str, writer: Writer) -> None:
    connection = await asyncpg.connect(database)
    plain = await seconds_for_plain(writer) * MILLION / PLAIN
    await connection.execute(PARKED, MILLION, ADA)
    released = await timed(writer, [a_user_event(id=ADA)])
    assert await connection.fetchval("SELECT count(*) FROM documents WHERE user_id = $1", ADA) == MILLION
    hidden = await timed(writer, [a_user_event("deleted", ADA, 2)])
    count = "SELECT count(*) FROM projector.absent_states WHERE reason = 'parent_deleted'"
    assert await connection.fetchval(count) == MILLION
    await connection.close()
    print(f"plain {plain:.1f} s, released {released:.1f} s, hidden {hidden:.1f} s")  # noqa: T201  figures
    assert max(released, hidden) <= 2 * plain


async def test_documents_before_their_users(database: str, writer: Writer) -> None:
    ratios: list[float] = []
    while len(ratios) < 3 and min(ratios, default=3) > 2:  # the machine may be busy with others
        plain = await seconds_for_plain(writer) * 2
        late = await seconds_for_late(writer)
        print(f"plain {plain:.1f} s, before their users {late:.1f} s")  # noqa: T201  figures
        ratios.append(late / plain)
    assert min(ratios) <= 2
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT count(*) FROM documents") == 3 * PLAIN * len(ratios)
    await connection.close()


async def seconds_for_late(writer: Writer) -> float:
    """How long it takes to write twice `PLAIN` documents, and then their 1,000 users."""
    users = [uuid4() for _ in range(1_000)]
    documents = [a_document_event(owner=users[n % len(users)]) for n in range(2 * PLAIN)]
    late = sum([await timed(writer, documents[n : n + AT_ONCE]) for n in range(0, len(documents), AT_ONCE)])
    return late + await timed(writer, [a_user_event(id=user) for user in users])


async def seconds_for_plain(writer: Writer) -> float:
    """How long it takes to write `PLAIN` documents of users who are there."""
    owner = uuid4()
    await timed(writer, [a_user_event(id=owner)])
    documents = [a_document_event(owner=owner) for _ in range(PLAIN)]
    return sum([await timed(writer, documents[n : n + AT_ONCE]) for n in range(0, PLAIN, AT_ONCE)])


async def timed(writer: Writer, events: list[dict[str, Any]]) -> float:
    batch = await writer.batch(events)
    started = time.perf_counter()
    await writer.write(batch)
    return time.perf_counter() - started
