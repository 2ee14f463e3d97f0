"""Long work as a process of its own: it writes the numbers 1, 2, 3, … to `public.steps`, each in one step.

`python -m tests.support.long_work URL NUMBER [ID]`; with an id it resumes. It also keeps a side table, and a position
of its own in `projector.offsets`.
"""

import sys

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations.left_behind import group_of, table_of
from neon_projector.consumer.admin.operations.running import running
from neon_projector.consumer.cli.database import interruptible
from neon_projector.consumer.errors import ProjectorError
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models.engine import create_service_engine
from neon_projector.models.settings import DatabaseSettings

COMMAND = "count"
OFFSET = "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES (:g, 't', 0, 0)"


def engine_of(url: str) -> AsyncEngine:
    return create_service_engine(DatabaseSettings(neon_database_url=SecretStr(url)))


async def work(engine: AsyncEngine, number: int, resume: int | None = None) -> None:
    """Do it to the end."""
    async with running(engine, COMMAND, filter={"number": number}, total=number, resume=resume) as operation:
        async with engine.begin() as connection:
            await connection.execute(text(f"CREATE TABLE IF NOT EXISTS {table_of(operation.id, 'rows')} ()"))
            await connection.execute(text(f"{OFFSET} ON CONFLICT DO NOTHING"), {"g": group_of(operation.id)})
        while operation.done < operation.filter["number"]:
            with translated():
                async with engine.begin() as connection:
                    await connection.execute(text("INSERT INTO steps VALUES (:n)"), {"n": operation.done + 1})
                    await operation.step(connection, by=1, position={"last": operation.done + 1})
        operation.result = {"counted": operation.done}


async def _main(url: str, number: str, *resume: str) -> None:
    engine = engine_of(url)
    await work(engine, int(number), *map(int, resume))
    await engine.dispose()


def main() -> None:
    """As a process: ends with the status that a command would have."""
    try:
        interruptible(lambda: _main(*sys.argv[1:]))
    except ProjectorError as error:
        print(error, file=sys.stderr)  # noqa: T201  what a person sees
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
