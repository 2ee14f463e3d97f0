"""Foreign keys of others into the tables are listed by `migrate` and `status`, each with what it will do."""

import pytest

from neon_projector.consumer.cli.migrate import _migrate
from neon_projector.models.settings import DatabaseSettings
from tests.operate.commands import printed, told
from tests.support.servers import execute
from tests.support.world import World

THEIRS = """
    CREATE SCHEMA app;
    CREATE TABLE app.comments (about uuid CONSTRAINT about_a_document REFERENCES documents ON DELETE CASCADE);
    CREATE TABLE app."Likes" (document_id uuid CONSTRAINT liked REFERENCES documents ON DELETE SET NULL);
    CREATE TABLE app.parts (of uuid CONSTRAINT part_of REFERENCES documents ON DELETE RESTRICT) PARTITION BY HASH (of);
    CREATE TABLE app.part_1 PARTITION OF app.parts FOR VALUES WITH (modulus 1, remainder 0);
    CREATE TABLE app.orders (of uuid DEFAULT NULL CONSTRAINT ordered REFERENCES users ON DELETE SET DEFAULT);
    CREATE TABLE app.users (email varchar REFERENCES public.users (email));
    CREATE TABLE app.theirs (id uuid PRIMARY KEY, parent uuid REFERENCES app.theirs ON DELETE CASCADE);
    ALTER TABLE documents ADD CONSTRAINT owned_twice FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE"""
REFUSES = "refuses the deletion: the event becomes a dead letter, and so does one that would hide the row"
FORGETS = "forgets the reference for good, also when the row is only hidden and comes back"
LINES = [
    f'liked of app."Likes" (document_id) into public.documents, ON DELETE SET NULL: {FORGETS}',
    "about_a_document of app.comments (about) into public.documents, ON DELETE CASCADE: deletes your rows for good, "
    "also when the row that they refer to is only hidden and comes back",
    f"part_of of app.parts (of) into public.documents, ON DELETE RESTRICT: {REFUSES}",
    f"ordered of app.orders (of) into public.users, ON DELETE SET DEFAULT: {FORGETS}",
    f"users_email_fkey of app.users (email) into public.users, ON DELETE NO ACTION: {REFUSES}; it may refuse or follow "
    "a change of email, too",
]


async def test_migrate_warns_of_each_and_its_exit_status_stays(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = DatabaseSettings.model_validate({"neon_database_url": database})
    assert await _migrate(settings, True) == 0
    assert capsys.readouterr() == ("nothing to do: the schema is current\n", "")
    await execute(database, THEIRS)
    assert await _migrate(settings, True) == 0
    out, warnings = capsys.readouterr()
    assert out == "nothing to do: the schema is current\n"
    assert warnings.splitlines() == [f"warning: {line}" for line in LINES]


async def test_a_constraint_that_is_not_enforced_does_nothing_and_is_not_listed(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await execute(database, "CREATE TABLE lax (of uuid CONSTRAINT lax_of REFERENCES users)")
    settings = DatabaseSettings.model_validate({"neon_database_url": database})
    await _migrate(settings, True)
    assert "lax_of" in capsys.readouterr().err
    await execute(database, NOT_ENFORCED)
    await _migrate(settings, True)
    assert "lax_of" not in capsys.readouterr().err


NOT_ENFORCED = """
    DO $$ BEGIN
        IF current_setting('server_version_num')::int >= 180000 THEN
            EXECUTE 'ALTER TABLE lax ALTER CONSTRAINT lax_of NOT ENFORCED';
        ELSE
            EXECUTE 'ALTER TABLE lax DROP CONSTRAINT lax_of';  -- an older server knows no such constraint
        END IF;
    END $$"""


async def test_status_has_them_beside_its_verdict(world: World) -> None:
    await world.create_topics()
    before = await told(world, "status", exit_status=1)
    assert before["foreign_keys"] == []
    await world.rows("CREATE TABLE comments (about uuid CONSTRAINT about REFERENCES documents ON DELETE CASCADE)")
    after = await told(world, "status", exit_status=1)
    (one,) = after["foreign_keys"]
    assert (one["name"], one["table"], one["into"]) == ("about", "public.comments", "public.documents")
    assert [finding["says"] for finding in after["findings"]] == [finding["says"] for finding in before["findings"]]
    assert "WARNING: about of public.comments (about) into public.documents, ON DELETE CASCADE: deletes your rows" in (
        await printed(world, "status")
    )
