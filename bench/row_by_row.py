"""The obvious way to apply events, to compare with: `session.get` for each, and a commit for every 500.

`python -m bench.row_by_row BOOTSTRAP USERS DOCUMENTS`, with NEON_DATABASE_URL. It reads the users to their end before
the documents: it has no answer to a document that comes before its user. It never ends by itself.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from aiokafka import AIOKafkaConsumer
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.check import differences
from bench.events import Mix
from bench.publish import publish
from bench.watch import Measured, Watch
from neon_projector.models import Document, User
from neon_projector.models.engine import create_engine
from neon_projector.models.session import session_factory
from neon_projector.models.settings import DatabaseSettings

if TYPE_CHECKING:
    from bench.servers import Bench

COMMIT_EVERY = 500
ROOT = Path(__file__).parent.parent


async def drain_row_by_row(bench: "Bench", mix: Mix) -> Measured:
    async with bench.world() as world:
        await publish(world.bootstrap, world.topics, mix.events())
        await world.rows("CHECKPOINT")
        settings = os.environ | {"NEON_DATABASE_URL": world.database_url, "PYTHONPATH": str(ROOT)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.row_by_row", world.bootstrap, *world.topics.values(), env=settings
        )

        async def failed() -> str | None:
            return None if process.returncode is None else f"it ended with status {process.returncode}"

        try:
            watch = Watch(process.pid, bench.postgres.pid, bench.kafka.pid, failed)
            measured = await watch.drain(world, mix.total)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
        assert await differences(world.database_url, mix.truth) == 0, "the tables are wrong"
    return measured


async def apply(session: AsyncSession, model: type[SQLModel], data: dict[str, Any]) -> None:
    """One event: a new row, or the fields of the one there is, unless that is as new."""
    new = model.model_validate(data)
    row: Any = await session.get(model, new.id)  # type: ignore[attr-defined]  # any model of ours has it
    if row is None:
        session.add(new)
    elif row.version < new.version:  # type: ignore[attr-defined]  # any model of ours has it
        for name in data:
            setattr(row, name, getattr(new, name))


async def main(bootstrap: str, users: str, documents: str) -> None:
    new_session = session_factory(create_engine(DatabaseSettings()), writable=True)
    for topic, model in ((users, User), (documents, Document)):
        async with AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=f"row-by-row-{topic}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        ) as client:
            left = sum((await client.end_offsets(client.assignment())).values())
            while left:
                async with new_session() as session:
                    for _ in range(min(left, COMMIT_EVERY)):
                        record = await client.getone()
                        await apply(session, model, orjson.loads(record.value)["data"])
                    await session.commit()
                await client.commit()
                left -= min(left, COMMIT_EVERY)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
