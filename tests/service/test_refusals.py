"""What an application's own triggers, policies and constraints refuse: one dead letter that names them, and no content.

The rest of the batch is applied, whatever SQLSTATE an application raises, also where it says nothing at all.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest

from neon_projector.consumer.apply import retry
from tests.races.stepping import Writer
from tests.support.factories import a_document_event, a_user_event

ADA, EVE, MALLORY, NOTES = UUID(int=1), UUID(int=2), UUID(int=13), UUID(int=3)
SECRET = "mallory-secret@example.com"
ROLE = "projector_of_the_refused"

Events = list[dict[str, Any]]


def trigger(body: str, when: str = "BEFORE INSERT OR UPDATE", table: str = "users", kind: str = "TRIGGER") -> str:
    """An application's trigger for each row of `table`."""
    deferred = "DEFERRABLE INITIALLY DEFERRED" if kind != "TRIGGER" else ""
    return f"""
        CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$;
        CREATE {kind} guarding {when} ON {table} {deferred} FOR EACH ROW EXECUTE FUNCTION guard()"""


def refusing(then: str, **how: str) -> str:
    return trigger(f"IF NEW.name = 'Mallory' THEN {then}; END IF", **how)


STATES = [
    "P0001", "ABC12", "40001", "40P01", "42501", "42P01", "42703", "0A000", "08006", "08P01", "23503", "23505", "25006",
    "28000", "3D000", "53100", "53300", "55000", "55P03", "57014", "57P01", "58000", "XX000", "22012",
]  # fmt: skip
RAISED = {
    state: refusing(
        f"RAISE EXCEPTION 'quota of %', NEW.email USING ERRCODE = '{state}', CONSTRAINT = 'uq_users_email', "
        "TABLE = NEW.email, SCHEMA = 'public', DETAIL = NEW.email, HINT = NEW.email"
    )
    for state in STATES
}
THERE = (
    "INSERT INTO users (id, email, name, created_at, updated_at, version) "
    "VALUES ('00000000-0000-0000-0000-0000000000ff', {}, '{}', now(), now(), 1);"
)
OTHERWISE = THERE.format(f"upper('{SECRET}')", "Eve")
TRIGGER = "trigger guarding of table public.users"
REFUSED = {
    "a trigger that writes to a table that is not there": (
        refusing("INSERT INTO nowhere VALUES (1)"), f"SQLSTATE 42P01, {TRIGGER}",
    ),
    "a trigger that divides by zero": (refusing("PERFORM 1 / (NEW.version - 1)"), f"SQLSTATE 22012, {TRIGGER}"),
    "a trigger that calls a function that raises": (
        "CREATE FUNCTION deeper(t text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
        "EXECUTE format('SELECT guard_of(%L) + 1', t); END $$;" + refusing("PERFORM deeper(NEW.email)"),
        f"SQLSTATE 42883, {TRIGGER}",
    ),
    "a trigger that returns nothing": (refusing("RETURN NULL"), "no error, but the row was not written"),
    "a trigger that takes the row out again": (
        refusing("DELETE FROM users WHERE id = NEW.id; RAISE undefined_column", when="AFTER INSERT"),
        f"SQLSTATE 42703, {TRIGGER}",
    ),
    "a deferred trigger": (
        refusing("RAISE EXCEPTION 'no'", when="AFTER INSERT", kind="CONSTRAINT TRIGGER"), f"SQLSTATE P0001, {TRIGGER}",
    ),
    "a deferred trigger that divides by zero": (
        refusing("PERFORM 1 / (NEW.version - 1)", when="AFTER INSERT", kind="CONSTRAINT TRIGGER"),
        f"SQLSTATE 22012, {TRIGGER}",
    ),
    "a check": (
        "ALTER TABLE users ADD CONSTRAINT no_mallory CHECK (name <> 'Mallory')",
        "SQLSTATE 23514, constraint no_mallory, table public.users",
    ),
    "an own unique index": (
        "CREATE UNIQUE INDEX one_of_each ON users ((name = 'Mallory')) WHERE name = 'Mallory';"
        + THERE.format("'x@x.org'", "Mallory"),
        "SQLSTATE 23505, constraint one_of_each, table public.users",
    ),
    "addresses in any case": (
        "CREATE UNIQUE INDEX any_case ON users (lower(email));" + OTHERWISE,
        "SQLSTATE 23505, constraint any_case, table public.users",
    ),
    "citext": (
        "CREATE EXTENSION citext; ALTER TABLE users ALTER email TYPE citext;" + OTHERWISE,
        "SQLSTATE 23505, constraint uq_users_email, table public.users",
    ),
    "a trigger that changes the address into another's": (
        THERE.format("'one@example.com'", "Eve") + refusing("NEW.email = 'one@example.com'"),
        "SQLSTATE 23505, constraint uq_users_email, table public.users",
    ),
    "a value that a changed column is too short for": (
        "ALTER TABLE users ALTER name TYPE varchar(6)", "SQLSTATE 22001, table public.users",
    ),
    "a generated column that can't be made": (
        "ALTER TABLE users ADD COLUMN odd integer GENERATED ALWAYS AS (1 / (length(name) - 7)) STORED",
        "SQLSTATE 22012, table public.users",
    ),
    "a check by a function in SQL that is broken": (
        "CREATE TABLE names (name text); CREATE FUNCTION known(t text) RETURNS boolean LANGUAGE sql AS $$ "
        "SELECT 1; SELECT t IN (TABLE names) $$; ALTER TABLE users ADD CHECK (name <> 'Mallory' OR known(name));"
        "DROP TABLE names",
        "SQLSTATE 42P01, function public.known, table public.users",
    ),
    "an index by a function that is broken": (
        "CREATE FUNCTION known(t text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN IF t = 'Mallory' THEN "
        "PERFORM * FROM nowhere; END IF; RETURN 1; END $$; CREATE INDEX odd ON users (known(name))",
        "SQLSTATE 42P01, function public.known, table public.users",
    ),
    "a trigger that leaves another role behind": (
        "DO $$ BEGIN CREATE ROLE projector_nobody; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        + refusing("SET LOCAL ROLE projector_nobody", when="AFTER INSERT"),
        "SQLSTATE 42501",
    ),
    "row-level security": (
        f"""DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT ALL ON ALL TABLES IN SCHEMA public, projector TO {ROLE};
        GRANT USAGE ON SCHEMA projector TO {ROLE};
        ALTER TABLE users ENABLE ROW LEVEL SECURITY;
        CREATE POLICY no_mallory ON users USING (true) WITH CHECK (name <> 'Mallory')""",
        "SQLSTATE 42501, row-level security, table public.users",
    ),
}  # fmt: skip


@dataclass
class Place:
    """A database with an application's objects in it, and a writer."""

    writer: Writer
    connection: asyncpg.Connection

    async def write(self, *batches: Events) -> None:
        for events in batches:
            await self.writer.write(await self.writer.batch(events))

    async def column(self, select: str) -> list[Any]:
        return [row[0] for row in await self.connection.fetch(select)]

    async def errors(self) -> list[str]:
        return await self.column("SELECT error FROM projector.dead_letters ORDER BY id")

    async def refused(self) -> dict[UUID, str]:
        found = await self.connection.fetch("SELECT id, error FROM projector.absent_states WHERE reason = 'refused'")
        return dict(map(tuple, found))


@pytest.fixture(params=[1, retry.NEW_FROM], ids=["as a large batch", "as a small one"])
async def place(database: str, request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    place = Place(Writer(database, 0, new_from=request.param), await asyncpg.connect(database))
    yield place
    await place.writer.engine.dispose()
    await place.connection.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A conflict that comes back is told sooner from a race."""
    monkeypatch.setattr(retry, "PATIENCE", 2)


def as_role(database: str, role: str = ROLE) -> str:
    server = urlsplit(database)
    return server._replace(netloc=f"{role}@{server.netloc.rpartition('@')[2]}").geturl()


async def one_among_others(place: Place) -> str:
    """Users of whom one is refused: the others are there. Returns the error of the one dead letter."""
    before = set(await place.column("SELECT id FROM users"))
    users = [a_user_event(name="Ada") for _ in range(6)]
    users.insert(3, a_user_event(id=MALLORY, name="Mallory", email=SECRET))
    await place.write(users)
    good = {UUID(user["data"]["id"]) for user in users} - {MALLORY}
    assert set(await place.column("SELECT id FROM users")) - before == good
    (letter,) = await place.connection.fetch('SELECT reason, error, "offset" FROM projector.dead_letters')
    assert (letter["reason"], letter["offset"]) == ("refused_by_database", 3)
    assert SECRET not in letter["error"]
    totals = await place.connection.fetchrow("SELECT applied, rejected, next_offset FROM projector.offsets")
    assert tuple(totals) == (6, 1, 7)
    return str(letter["error"])


@pytest.mark.parametrize("state", STATES)
async def test_whatever_state_a_trigger_raises_it_refuses_one_record(database: str, state: str) -> None:
    place = Place(Writer(database, 0), await asyncpg.connect(database))
    await place.connection.execute(RAISED[state])
    assert await one_among_others(place) == f"the database refuses it: SQLSTATE {state}, {TRIGGER}"
    await place.writer.engine.dispose()
    await place.connection.close()


@pytest.mark.parametrize("name", REFUSED)
async def test_what_refuses_is_named_and_the_rest_is_applied(place: Place, database: str, name: str) -> None:
    schema, said = REFUSED[name]
    await place.connection.execute(schema)
    if name == "row-level security":
        await place.writer.engine.dispose()
        place.writer = Writer(as_role(database), 0, new_from=1)
    assert said in await one_among_others(place)


async def test_a_change_that_a_trigger_swallows_is_one_dead_letter(place: Place) -> None:
    await place.connection.execute(trigger("IF NEW.name = 'Mallory' THEN RETURN NULL; END IF", when="BEFORE UPDATE"))
    await place.write([a_user_event(id=ADA), a_user_event(id=EVE)])
    changes = [a_user_event("updated", ADA, 2, name="Mallory"), a_user_event("updated", EVE, 2, name="Grace")]
    await place.write(changes)
    assert await place.column("SELECT name FROM users ORDER BY id") == ["Ada", "Grace"]
    (error,) = await place.errors()
    assert "no error, but the row was not written" in error
    assert "guarding" in error


async def test_a_new_address_that_a_trigger_swallows_is_one_dead_letter(place: Place) -> None:
    swallow = "IF NEW.email <> OLD.email AND OLD.name = 'Mallory' THEN RETURN NULL; END IF"
    await place.connection.execute(trigger(swallow, when="BEFORE UPDATE"))
    await place.write([a_user_event(id=ADA, name="Mallory", email="ada@example.com"), a_user_event(id=EVE)])
    whole = a_user_event(id=ADA, version=2, name="Mallory", email="new@example.com")
    await place.write([whole, a_user_event("updated", EVE, 2, email="eve@example.com")])
    assert await place.column("SELECT email FROM users ORDER BY id") == ["ada@example.com", "eve@example.com"]
    assert await place.column("SELECT version FROM users ORDER BY id") == [1, 2]
    assert len(await place.errors()) == 1


@pytest.mark.parametrize("table", ["users", "documents"])
async def test_a_deletion_that_a_trigger_swallows_is_one_dead_letter_and_no_orphan(place: Place, table: str) -> None:
    mine = f"IF OLD.{'id' if table == 'users' else 'user_id'} = '{ADA}' THEN RETURN NULL; END IF; RETURN OLD"
    await place.connection.execute(trigger(mine, when="BEFORE DELETE", table=table))
    await place.write([a_user_event(id=ADA), a_user_event(id=EVE)], [a_document_event(id=NOTES, owner=ADA)])
    await place.write([a_user_event("deleted", ADA, 2), a_user_event("deleted", EVE, 2)])
    assert await place.column("SELECT id FROM users") == [ADA]
    assert await place.column("SELECT user_id FROM documents") == [ADA]
    assert await place.column("SELECT id FROM projector.absent_states") == [EVE]
    (error,) = await place.errors()
    assert f"table public.{table}" in error
