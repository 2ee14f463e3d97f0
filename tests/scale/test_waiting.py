"""Many wait for few: what is released and hidden at once takes no longer than twice the plain path."""

import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from neon_projector.consumer.runner import tune_interpreter
from tests.races.stepping import Writer
from tests.support.factories import a_document_event, a_user_event

pytestmark = pytest.mark.alone

ADA = UUID(int=1)
MILLION = 1_000_000
PLAIN = 50_000
DOCUMENTS = 100_000
OWNERS = 1_000
AT_ONCE = 5_000

PARKED = """
    INSERT INTO projector.absent_states (entity, id, version, state, reason, waiting_for)
    SELECT 'document', i, 1, jsonb_build_object('id', i, 'title', 'Document', 'content', 'Some text of a document.',
        'user_id', $2::uuid, 'created_at', now(), 'updated_at', now(), 'version', 1), 'no_parent', $2::uuid
    FROM (SELECT gen_random_uuid() AS i FROM generate_series(1, $1)) AS s"""


@pytest.fixture
async def writer(database: str) -> AsyncIterator[Writer]:
    tune_interpreter()  # as the service does
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
    while len(ratios) < 5 and min(ratios, default=3) > 2:  # the machine may be busy with others
        plain = await seconds_for_documents(writer, users_first=True)
        late = await seconds_for_documents(writer, users_first=False)
        print(f"plain {plain:.1f} s, before their users {late:.1f} s")  # noqa: T201  figures
        ratios.append(late / plain)
    assert min(ratios) <= 2
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT count(*) FROM documents") == 2 * DOCUMENTS * len(ratios)
    await connection.close()


async def seconds_for_documents(writer: Writer, *, users_first: bool) -> float:
    """How long it takes to decode and write `DOCUMENTS` documents of `OWNERS` users, and these."""
    owners = [uuid4() for _ in range(OWNERS)]
    documents = [a_document_event(owner=owners[n % OWNERS]) for n in range(DOCUMENTS)]
    users = [a_user_event(id=owner) for owner in owners]
    seconds = await timed(writer, users) if users_first else 0.0
    for start in range(0, DOCUMENTS, AT_ONCE):
        seconds += await timed(writer, documents[start : start + AT_ONCE])
    return seconds if users_first else seconds + await timed(writer, users)


async def seconds_for_plain(writer: Writer) -> float:
    """How long it takes to decode and write `PLAIN` documents of one user who is there."""
    owner = uuid4()
    await timed(writer, [a_user_event(id=owner)])
    documents = [a_document_event(owner=owner) for _ in range(PLAIN)]
    return sum([await timed(writer, documents[n : n + AT_ONCE]) for n in range(0, PLAIN, AT_ONCE)])


async def timed(writer: Writer, events: list[dict[str, Any]]) -> float:
    """Seconds from records to COMMIT, as the service goes about it."""
    fetched = await writer.fetched(events)
    started = time.perf_counter()
    await writer.write(writer.decoded(fetched))
    return time.perf_counter() - started
