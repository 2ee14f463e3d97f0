"""Pages: newest first, none missed, none repeated, also while others insert and delete; the cursors between them."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from neon_projector.models import Document
from neon_projector.models.reading import MAX_PAGE, list_documents, list_users, sync
from neon_projector.models.reading.cursor import Place, cursor, place_of
from neon_projector.models.session import sync_session_factory
from tests.models.rows import NOON, Sessions, a_document, a_user, stored

A_PLACE = Place(NOON, UUID(int=7))
UTC_TIMES = st.datetimes(timezones=st.just(UTC))


@given(st.sampled_from(["users", "documents"]), UTC_TIMES, st.uuids())
def test_a_cursor_is_short_text_for_urls_and_tells_the_place(table: str, time: datetime, identity: UUID) -> None:
    text = cursor(table, Place(time, identity))
    assert len(text) == 40
    assert text.isascii()
    assert set(text) - {"-", "_"} <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    assert place_of(table, text) == (time, identity)


@given(st.integers(0, 39), st.characters(codec="ascii"))
def test_a_cursor_with_another_character_is_refused(at: int, other: str) -> None:
    text = cursor("users", A_PLACE)
    changed = text[:at] + other + text[at + 1 :]
    if changed != text:
        with pytest.raises(ValueError, match="not a cursor"):
            place_of("users", changed)


@given(st.text(max_size=50))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        place_of("users", text)


def test_a_cursor_of_another_list_version_or_time_is_refused() -> None:
    with pytest.raises(ValueError, match="one of documents is expected"):
        place_of("documents", cursor("users", A_PLACE))
    raw = bytearray(urlsafe_b64decode(cursor("users", A_PLACE)))
    raw[0] = 2
    with pytest.raises(ValueError, match="of this version"):
        place_of("users", urlsafe_b64encode(raw).decode())


async def test_pages_are_newest_first_and_miss_nothing_where_times_are_equal(
    writers: Sessions, sessions: Sessions
) -> None:
    users = [a_user(i, NOON + timedelta(hours=i // 4)) for i in range(10)]
    await stored(writers, *users)
    found: list[UUID] = []
    after: str | None = None
    async with sessions() as session:
        while True:
            page = await list_users(session, limit=3, after=after)
            found += [user.id for user in page.rows]
            if (after := page.after) is None:
                break
        with pytest.raises(ValueError, match="one of documents"):
            await list_documents(session, after=(await list_users(session, limit=3)).after)
    assert found == [user.id for user in sorted(users, key=lambda u: (u.created_at, u.id), reverse=True)]


async def test_a_last_page_that_is_full_has_no_next(writers: Sessions, sessions: Sessions) -> None:
    await stored(writers, a_user(1), a_user(2))
    async with sessions() as session:
        assert (await list_users(session, limit=2)).after is None
        assert (await list_documents(session)).after is None


HOURS = st.integers(0, 3)
CHANGES = st.lists(st.lists(st.tuples(st.booleans(), HOURS), max_size=4), max_size=8)
"""Before each next page: rows that come (True, in which hour) or go (False, which of them)."""


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HOURS, max_size=8), CHANGES, st.integers(1, 4))
def test_pages_under_inserts_and_deletes_miss_and_repeat_nothing_that_was_there_throughout(
    owner: Engine, sync_reader: Engine, hours: list[int], changes: list[list[tuple[bool, int]]], limit: int
) -> None:
    ada, there = a_user(), dict[UUID, Document]()
    changing, reading = sync_session_factory(owner, writable=True), sync_session_factory(sync_reader)

    def change(comes: bool, number: int) -> None:
        with changing() as session, session.begin():
            if comes:
                row = a_document(ada.id, created_at=NOON + timedelta(hours=number))
                there[row.id] = row
                session.add(row)
            elif there:
                session.delete(session.merge(there.pop(sorted(there)[number % len(there)])))

    with changing() as session, session.begin():
        session.add(ada)
    for hour in hours:
        change(True, hour)
    throughout, seen, after = set(there), list[UUID](), None
    for between in [*changes, *[[]] * MAX_PAGE]:
        with reading() as session:
            page = sync.list_documents(session, user_id=ada.id, limit=limit, after=after)
        seen += [row.id for row in page.rows]
        if (after := page.after) is None:
            break
        for one in between:
            change(*one)
            throughout &= there.keys()
    assert after is None
    assert len(seen) == len(set(seen)), "repeated"
    assert throughout <= set(seen), "missed"
