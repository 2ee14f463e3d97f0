"""Promise 5.5: what is stored, and only carried along, never comes into the service, however large it is."""

import asyncio
from uuid import UUID

from tests.service.test_memory import BOUND_MB, peak_megabytes
from tests.support.factories import ARecord, a_document_event, a_record, a_user_event
from tests.support.projector import eventually, running_projector
from tests.support.world import World

ADA, EVE, CID, DAN = (UUID(int=number) for number in range(1, 5))
LARGE = 950_000
SHOWN, ASIDE, HIDDEN, WAITING, VERSIONS = 1_200, 80, 80, 80, 80
CONTENT = f"repeat('x', {LARGE}) || n"
AN_ID = "('00000000-0000-0000-{kind}-' || lpad(to_hex(n), 12, '0'))::uuid"
STATE = """jsonb_build_object('id', {id}, 'title', 'T', 'content', {content}, 'user_id', '{owner}'::uuid,
    'created_at', now(), 'updated_at', now(), 'version', 1)"""
MOVED = f"SELECT count(*)::int FROM documents WHERE user_id = '{EVE}' AND version = 2"
RIGHT = f"""SELECT count(*)::int FROM documents
    WHERE content = repeat('x', {LARGE}) || ('x' || right(id::text, 12))::bit(48)::bigint"""


def an_id(kind: str, n: int) -> UUID:
    return UUID(f"00000000-0000-0000-{kind}-{n:012x}")


def a_transfer(kind: str, n: int, old: UUID) -> ARecord:
    return a_record(a_document_event("ownership_transferred", an_id(kind, n), 2, from_user_id=old, to_user_id=EVE))


async def store(world: World) -> None:
    """Documents of Ada, of Cid (whom nobody knows) and of Dan (who is deleted); and changes of what nobody knows."""
    for column in (
        "documents ALTER content",
        "projector.absent_states ALTER state",
        "projector.parked_events ALTER data",
    ):
        await world.rows(f"ALTER TABLE {column} SET STORAGE EXTERNAL")  # only quicker
    await world.rows(
        "INSERT INTO users (id, email, name, is_active, created_at, updated_at, version) "
        "SELECT id, id::text, 'A', true, now(), now(), 1 FROM unnest($1::uuid[]) id",
        [ADA, EVE],
    )
    await world.rows(f"""
        INSERT INTO documents (id, title, content, user_id, created_at, updated_at, version)
        SELECT {AN_ID.format(kind="000a")}, 'T', {CONTENT}, '{ADA}', now(), now(), 1
        FROM generate_series(1, {SHOWN}) n""")
    await world.rows("INSERT INTO projector.absent_states VALUES ('user', $1, 1, NULL, 'deleted', NULL)", DAN)
    for kind, number, owner, reason in (("000b", ASIDE, CID, "no_parent"), ("000c", HIDDEN, DAN, "parent_deleted")):
        entity_id = AN_ID.format(kind=kind)
        await world.rows(f"""
            INSERT INTO projector.absent_states
            SELECT 'document', {entity_id}, 1, {STATE.format(id=entity_id, content=CONTENT, owner=owner)},
                '{reason}', '{owner}' FROM generate_series(1, {number}) n""")
    for number, entity_id, version in (
        (WAITING, AN_ID.format(kind="000d"), "2"),
        (VERSIONS, f"'{an_id('000e', VERSIONS + 1)}'::uuid", "n + 1"),
    ):
        await world.rows(f"""
            INSERT INTO projector.parked_events
            SELECT 'document', {entity_id}, {version}, 'document.updated', jsonb_build_object('id', {entity_id},
                'version', {version}, 'content', repeat('x', {LARGE}) || {"n" if version == "2" else "n + 1"},
                'updated_at', '2026-11-22T12:00:00+00:00'), 'e', '/t', 't', 0, n
            FROM generate_series(1, {number}) n""")


def arriving() -> list[ARecord]:
    """Transfers, a new title of what is hidden, and the bases of what is parked."""
    moved = [a_transfer("000a", n, ADA) for n in range(1, SHOWN + 1)]
    back = [a_transfer("000b", n, CID) for n in range(1, ASIDE + 1)]
    titles = [a_record(a_document_event("updated", an_id("000c", n), 2, title="Two")) for n in range(1, HIDDEN + 1)]
    bases = [a_record(a_document_event(id=an_id("000d", n), owner=EVE)) for n in range(1, WAITING + 1)]
    return [*moved, *back, *titles, *bases, a_record(a_document_event(id=an_id("000e", VERSIONS + 1), owner=EVE))]


async def test_promise_5_5_what_is_only_carried_along_is_held_in_little_memory(world: World) -> None:
    """Rows and states kept aside to each other, and changes that were parked: 1.5 GB in all."""
    await world.create_topics()
    await store(world)
    records = arriving()
    with running_projector(world.settings, afresh=True) as projector:
        eventually("it has joined", lambda: projector.get("/health/ready")[0] == 200)
        async with world.locked("users"):
            await world.publish([a_record(a_user_event())])
            await world.publish(records)
            await asyncio.sleep(1)  # they come together
        await world.until_consumed(len(records) + 1, seconds=90)
        peak = peak_megabytes(projector.process.pid)
        assert await world.value(MOVED) == SHOWN + ASIDE + WAITING
        assert await world.value(RIGHT) == SHOWN + ASIDE + WAITING + 1
        hidden = "SELECT count(*)::int FROM projector.absent_states WHERE version = 2 AND state ->> 'title' = 'Two'"
        assert await world.value(hidden) == HIDDEN
        await world.publish([a_record(a_user_event(id=DAN, version=2))])
        await world.until(RIGHT, SHOWN + ASIDE + WAITING + 1 + HIDDEN)
        assert await world.value("SELECT count(*)::int FROM projector.parked_events") == 0
        assert await world.value("SELECT max(version)::int FROM documents") == VERSIONS + 1
        assert projector.terminate() == 0
    assert peak < BOUND_MB, f"{peak} MB"
    assert (await world.totals())["rejected"] == 0
