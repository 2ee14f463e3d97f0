"""One run of the demo: starts everything, publishes, watches, proves, and leaves nothing behind."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiokafka.errors
import asyncpg
from pydantic import SecretStr
from rich.console import Console

from neon_projector.consumer.demo.errors import DemoFailed, DemoUnavailable
from neon_projector.consumer.demo.follow import follow
from neon_projector.consumer.demo.interrupt import Interrupt
from neon_projector.consumer.demo.proof import Check, prove
from neon_projector.consumer.demo.publish import Publisher
from neon_projector.consumer.demo.servers.broker import EmbeddedBroker, create_topics, embedded_broker
from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres, embedded_postgres
from neon_projector.consumer.demo.servers.projector import RunningProjector, running_projector
from neon_projector.consumer.demo.show import Show, summarise
from neon_projector.consumer.demo.stream.stream import Stream
from neon_projector.consumer.demo.stream.truth import Truth
from neon_projector.consumer.demo.watch import Watch
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.schema.migrate import upgrade
from neon_projector.models.engine import create_direct_engine
from neon_projector.models.settings import DatabaseSettings
from neon_projector.projections.registry import REGISTRY

RECORDS = 20_000
PARTITIONS = 4
SEED = 20_261_122
"""Of the stream: each run tells the same stories, at other times."""

PROVED, DIFFERS, INTERRUPTED = 0, 1, 130


def run_session(console: Console, *, keep: bool) -> int:
    """Run to the end and return the exit status. DemoUnavailable, DemoFailed: one line says why."""
    with Interrupt() as interrupt:
        console.print("Starting an embedded Postgres and an embedded broker ...", highlight=False)
        with _postgres() as postgres, embedded_broker() as broker:
            if interrupt.times:
                return INTERRUPTED
            with clear_errors():
                asyncio.run(_prepare(postgres.url, broker.address))
            with running_projector(postgres.url, broker.address) as projector, clear_errors():
                session = _Session(console, interrupt, postgres.url, broker, projector, keep)
                return asyncio.run(session.play())


class _Session:
    def __init__(
        self,
        console: Console,
        interrupt: Interrupt,
        database_url: str,
        broker: EmbeddedBroker,
        projector: RunningProjector,
        keep: bool,
    ) -> None:
        self._console, self._interrupt = console, interrupt
        self._database_url, self._broker, self._projector = database_url, broker, projector
        self._records = None if keep else RECORDS
        self._interrupts_allowed = 1 if keep else 0
        self._truth = Truth()

    async def play(self) -> int:
        """Publish, watch and prove; the exit status."""
        self._introduce()
        watch = await Watch.open(self._database_url, self._broker, self._projector, self._truth)
        try:
            async with Publisher(self._broker.address, self._truth) as publisher:
                stop = self._interrupt.event()
                publishing = asyncio.create_task(publisher.publish(Stream(self._truth, SEED), stop, self._records))
                with Show(self._console, self._records) as show:
                    await follow(watch, show, publishing, self._given_up)
        finally:
            await watch.close()
        if self._given_up():
            self._console.print("Interrupted: nothing is proved, and nothing is left behind.")
            return INTERRUPTED
        return await self._prove(watch.seconds())

    def _given_up(self) -> bool:
        """Whether an interrupt means to leave without a proof: a second one, or there is nothing to prove yet."""
        allowed = self._interrupts_allowed if self._truth.published else 0
        return self._interrupt.times > allowed

    def _introduce(self) -> None:
        lines = [
            f"The service runs: {self._projector.url}/status",
            f"Its page: {self._projector.url}/",
            f"Its metrics: {self._projector.url}/metrics",
            f"The tables: {self._database_url}",
            f"The broker: {self._broker.address}, topics users and documents, {PARTITIONS} partitions each",
        ]
        if self._records is None:
            lines += [
                "To publish and look yourself, in another terminal:",
                f"  export KAFKA_BOOTSTRAP_SERVERS={self._broker.address}",
                f"  export NEON_DATABASE_URL={self._database_url}",
                "Publishing until Ctrl-C; then comes the proof.",
            ]
        self._console.print("\n".join(lines), highlight=False, soft_wrap=True)

    async def _prove(self, seconds: float) -> int:
        """Stop the service, so that all that counts is what it has committed; compare; sum up."""
        status = await asyncio.to_thread(self._projector.stop)
        checks = await prove(self._database_url, self._truth)
        if status != 0:
            differs = [f"the service ended with exit status {status}"]
            checks.append(Check("the service's end", "exit status 0", f"exit status {status}", differs))
        summarise(self._console, checks, self._truth, seconds)
        return PROVED if all(check.holds for check in checks) else DIFFERS


async def _prepare(database_url: str, broker: str) -> None:
    engine = create_direct_engine(DatabaseSettings(neon_database_url=SecretStr(database_url)))
    try:
        with translated():
            await upgrade(engine)
    finally:
        await engine.dispose()
    await create_topics(broker, [projection.default_topic for projection in REGISTRY], PARTITIONS)


@contextmanager
def _postgres() -> Iterator[EmbeddedPostgres]:
    context = embedded_postgres()
    try:
        server = context.__enter__()
    except (RuntimeError, OSError) as error:
        raise DemoUnavailable(" ".join(str(error).split())) from None
    try:
        yield server
    finally:
        context.__exit__(None, None, None)


@contextmanager
def clear_errors() -> Iterator[None]:
    """An error of the servers becomes one line."""
    try:
        yield
    except (aiokafka.errors.KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        kind, said = type(error).__name__, " ".join(str(error).split())
        raise DemoFailed(f"{kind}: {said.removeprefix(f'{kind}: ')}") from error
