"""The plans of readers, on tables that are large enough for Postgres to choose: an index is walked for one page."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from neon_projector.models import Document, User
from neon_projector.models.reading import (
    get_document,
    get_many,
    get_user,
    get_user_by_email,
    list_documents,
    list_users,
    wait_until_applied,
)
from neon_projector.models.reading.cursor import Place, cursor
from tests.models.rows import Sessions
from tests.support.servers import execute

USERS, DOCUMENTS, PAGE = 4_000, 12_000, 20
FILL = (
    f"""INSERT INTO users (id, email, name, is_active, created_at, updated_at, version)
    SELECT md5('u' || n)::uuid, n || '@example.com', 'Ada', n % 20 <> 0,
        timestamptz '2026-01-01Z' + n * interval '1 min', now(), 1 FROM generate_series(1, {USERS}) n""",
    f"""INSERT INTO documents (id, title, content, user_id, created_at, updated_at, version)
    SELECT md5('d' || n)::uuid, md5('t' || n), 'Some text', md5('u' || 1 + n % {USERS // 100})::uuid,
        timestamptz '2026-01-01Z' + n * interval '1 min', now(), 1 FROM generate_series(1, {DOCUMENTS}) n""",
    """INSERT INTO projector.parked_events
        (entity, entity_id, version, type, data, event_id, source, topic, partition, "offset")
    SELECT 'user', gen_random_uuid(), 2, 'user.updated', '{}', 'x', 'x', 'users', 0, n
    FROM generate_series(1, 5000) n""",
    "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ('neon-projector', 'users', 0, 99)",
    "VACUUM ANALYZE",
)


def an_id(name: str) -> UUID:
    """As the rows above have it."""
    return UUID(md5(name.encode(), usedforsecurity=False).hexdigest())


MIDDLE = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=USERS / 2)
USER, DOCUMENT = an_id("u7"), an_id("d7")
AFTER_USER, AFTER_DOCUMENT = (cursor(name, Place(MIDDLE, USER)) for name in ("users", "documents"))
TITLE = md5(b"t7", usedforsecurity=False).hexdigest()[:4]
Call = Callable[[AsyncSession], Any]
WALKED: dict[str, tuple[Call, set[str], int]] = {
    "a user": (lambda s: get_user(s, USER), {"pk_users"}, 1),
    "with documents": (
        lambda s: get_user(s, USER, with_documents=True), {"pk_users", "ix_documents_user_id_created_at_id"}, 301
    ),
    "by address": (lambda s: get_user_by_email(s, "7@example.com"), {"uq_users_email"}, 1),
    "a document": (lambda s: get_document(s, DOCUMENT, with_owner=True), {"pk_documents", "pk_users"}, 2),
    "many": (lambda s: get_many(s, User, [an_id(f"u{n}") for n in range(1, 21)]), {"pk_users"}, 20),
    "many documents": (lambda s: get_many(s, Document, [an_id(f"d{n}") for n in range(1, 21)]), {"pk_documents"}, 20),
    "users": (lambda s: list_users(s, limit=PAGE), {"ix_users_created_at_id"}, PAGE + 1),
    "more users": (lambda s: list_users(s, limit=PAGE, after=AFTER_USER), {"ix_users_created_at_id"}, PAGE + 1),
    "active": (
        lambda s: list_users(s, limit=PAGE, after=AFTER_USER, is_active=True), {"ix_users_created_at_id"}, 2 * PAGE
    ),
    "inactive": (
        lambda s: list_users(s, limit=PAGE, after=AFTER_USER, is_active=False), {"ix_users_inactive"}, PAGE + 1
    ),
    "users since": (lambda s: list_users(s, limit=PAGE, created_since=MIDDLE), {"ix_users_created_at_id"}, PAGE + 1),
    "documents": (lambda s: list_documents(s, limit=PAGE), {"ix_documents_created_at_id"}, PAGE + 1),
    "more documents": (
        lambda s: list_documents(s, limit=PAGE, after=AFTER_DOCUMENT), {"ix_documents_created_at_id"}, PAGE + 1
    ),
    "a user's": (
        lambda s: list_documents(s, limit=PAGE, user_id=USER, after=AFTER_DOCUMENT),
        {"ix_documents_user_id_created_at_id"}, PAGE + 1,
    ),
    "a user's since": (
        lambda s: list_documents(s, limit=PAGE, user_id=USER, created_since=MIDDLE),
        {"ix_documents_user_id_created_at_id"}, PAGE + 1,
    ),
}  # fmt: skip
"""A call, all indexes that it walks, and how many rows it reads at most."""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


async def test_each_reader_walks_its_index_sorts_nothing_and_reads_no_more_than_it_shows(
    database: str, reader: AsyncEngine, sessions: Sessions
) -> None:
    await execute(database, *FILL)
    said: list[tuple[str, Any]] = []
    event.listen(reader.sync_engine, "before_cursor_execute", lambda *one: said.append((one[2], one[3])))
    owner = await asyncpg.connect(database)

    async def plans(call: Call) -> list[dict[str, Any]]:
        said.clear()
        async with sessions() as session:
            await call(session)
        explained = [
            await owner.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values) for statement, values in said
        ]
        return [node for one in explained for node in nodes(json.loads(one)[0]["Plan"])]

    for name, (call, indexes, most) in WALKED.items():
        found = await plans(call)
        assert {node["Index Name"] for node in found if "Index Name" in node} == indexes, name
        assert not [node for node in found if node["Node Type"] in ("Seq Scan", "Sort", "Incremental Sort")], name
        scans = [node for node in found if node["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Heap Scan")]
        read = sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in scans
        )
        assert read <= most, name
    (few,) = [node for node in await plans(lambda s: list_documents(s, title_prefix=TITLE)) if "Index Name" in node]
    assert few["Index Name"] == "ix_documents_title_prefix"
    waited = await plans(lambda s: wait_until_applied(s, "users", 0, 7, timeout=0))
    assert "ix_parked_events_topic_partition_offset" in {node.get("Index Name") for node in waited}
    await owner.close()
