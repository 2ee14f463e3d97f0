"""What goes with a BEGIN belongs to one transaction; a session that does not write is given up."""

import asyncpg
import pytest
from sqlalchemy import text

from neon_projector.consumer.apply.fuse import Fuse
from neon_projector.consumer.apply.lock import enter
from neon_projector.consumer.apply.maintenance import Maintenance
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.transaction import Transaction
from neon_projector.consumer.batch import Batch
from neon_projector.consumer.errors import FuseBlown, TransientError
from neon_projector.consumer.recovery.translate import translated
from neon_projector.projections.registry import REGISTRY
from tests.races.stepping import GROUP, Writer
from tests.support.factories import a_user_event
from tests.support.hostile import calm

LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"


async def rejected(writer: Writer) -> Batch:
    """A batch in which every record is rejected, so that nothing is written before the fuse has its say."""
    batch = await writer.batch([a_user_event(version=0) for _ in range(3)])
    assert all(hasattr(one, "reason") for one in batch.decoded)
    return batch


async def test_a_fused_batch_leaves_no_begin_to_the_next_user_of_its_connection(database: str) -> None:
    writer = Writer(database, 0)
    fused = Transaction(writer.engine, REGISTRY, GROUP, Fuse(1, 0.5), Maintenance(604_800))
    batch = await rejected(writer)
    with pytest.raises(FuseBlown):
        await fused.apply(batch)
    async with writer.engine.connect() as connection:
        assert (await connection.execute(text(LOCKS))).scalar_one() == 0
    await writer.engine.dispose()


async def test_a_transaction_given_up_before_its_first_statement_leaves_nothing_to_the_next_one(database: str) -> None:
    writer = Writer(database, 0)
    async with writer.engine.connect() as connection:
        given_up = await connection.begin()
        await enter(connection, Mode.EXCLUSIVE)
        await given_up.rollback()
        async with connection.begin():
            assert (await connection.execute(text(LOCKS))).scalar_one() == 0
    await writer.engine.dispose()


@pytest.mark.parametrize(
    ("statements", "given_up"),
    [
        (("SET TRANSACTION READ ONLY", "DELETE FROM users"), True),
        (("DO $$ BEGIN RAISE SQLSTATE '53200'; END $$",), True),
        (("DO $$ BEGIN RAISE SQLSTATE '58030'; END $$",), True),
        (("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$",), False),
    ],
    ids=["read only", "no memory", "no files", "a conflict"],
)
async def test_a_session_where_trying_again_may_not_help_is_given_up(
    database: str, statements: tuple[str, ...], given_up: bool
) -> None:
    writer = Writer(database, 0)
    async with writer.engine.connect() as connection:
        before = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    async with writer.engine.connect() as connection:
        for statement in statements[:-1]:
            await connection.execute(text(statement))
        with pytest.raises(TransientError), translated():
            await connection.execute(text(statements[-1]))
    async with writer.engine.connect() as connection:
        after = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    assert (after != before) == given_up
    await writer.engine.dispose()


async def test_a_read_only_default_that_is_set_while_a_session_lives_does_not_matter(database: str) -> None:
    writer, operator = Writer(database, 0), await calm(database)
    await writer.write(await writer.batch([a_user_event()]))
    await operator.execute(
        f"ALTER DATABASE {await operator.fetchval('SELECT quote_ident(current_database())')} "
        "SET default_transaction_read_only = on"
    )
    await writer.engine.dispose()  # new sessions begin with it
    await writer.write(await writer.batch([a_user_event()]))
    assert await operator.fetchval("SELECT count(*) FROM users") == 2
    await operator.close()
    await writer.engine.dispose()


async def test_commands_that_only_look_work_where_nothing_can_be_written(database: str) -> None:
    """A standby refuses BEGIN READ WRITE with 0A000; the driver's transaction then only reads."""
    writer = Writer(database, 0)
    async with writer.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        execute = driver.execute

        async def standby(statements: str, *arguments: object, **options: object) -> str:
            if "READ WRITE" in statements:
                raise asyncpg.FeatureNotSupportedError("cannot set transaction read-write mode during recovery")
            return str(await execute(statements, *arguments, **options))

        driver.execute = standby
        assert (await connection.execute(text("SHOW transaction_read_only"))).scalar_one() == "on"
        await connection.rollback()
        await connection.begin()
        await enter(connection, Mode.SHARED)
        with pytest.raises(TransientError), translated():
            await connection.execute(text("SELECT"))
    await writer.engine.dispose()
