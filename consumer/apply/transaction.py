"""ONE transaction: rows, what waits, dead letters, totals and positions, together or not at all.

`Transaction.apply` is the only function of the service that opens a transaction to apply records, and `by_hand` that of
the commands which apply some again.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncTransaction

from neon_projector.consumer.apply import dead_letters, oddities
from neon_projector.consumer.apply.driver_errors import in_a_function
from neon_projector.consumer.apply.entities.writers import Writers
from neon_projector.consumer.apply.fuse import Fuse
from neon_projector.consumer.apply.lock import enter
from neon_projector.consumer.apply.maintenance import Maintenance
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.receipt import Receipt
from neon_projector.consumer.apply.unit import Unit
from neon_projector.consumer.batch import Batch
from neon_projector.consumer.errors import BadData, Fenced, Locked, Moved, PositionsMoved
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.position_check import PositionCheck
from neon_projector.consumer.recovery.translate import translated
from neon_projector.projections.contract.event import MisnamedEvent, Rejection
from neon_projector.projections.contract.outcome import Outcome
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.state.grouping import Grouped, group

LOCK_LIMIT = {True: "1s", False: "100ms"}
"""Of a command's transaction, by whether it is shared. While an exclusive one waits, the service does nothing."""
LOCK_NOT_AVAILABLE = "55P03"
"""lock_not_available: `lock_timeout` is over."""


class CommitUnknown(Exception):
    """The connection broke while COMMIT was under way."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__()
        self.receipt = receipt


class Transaction:
    """Applies batches to one database, for one consumer group."""

    def __init__(
        self,
        engine: AsyncEngine,
        registry: Registry,
        group_id: str,
        fuse: Fuse,
        maintenance: Maintenance,
        check: PositionCheck | None = None,
    ) -> None:
        self._engine = engine
        self._group_id = group_id
        self._fuse = fuse
        self._maintenance = maintenance
        self._check = check or PositionCheck(group_id, dict)
        self._writers = Writers(registry)
        self._secrets = registry.secrets
        self._types = registry.event_types

    async def apply(self, batch: Batch, mode: Mode = Mode.SHARED) -> Receipt:
        """Apply `batch` and move its positions. Any error means that nothing changed, except CommitUnknown: then only
        the positions tell whether the batch took effect (`took_effect`).
        """
        grouped = group(batch.decoded)
        async for _ in dead_letters.letters(grouped.rejections, self._secrets):
            pass  # make the letters before anything is locked
        try:
            with translated():
                try:
                    receipt = await self._transact(batch, grouped, mode)
                except DBAPIError as error:
                    raise await self._writers.read(self._engine, error, mode) from None
        except CommitUnknown:
            raise  # the fuse has counted the batch, and does not count it twice when it is tried again
        except BaseException:
            self._fuse.give_back(batch)
            raise
        return receipt

    async def blamed(self, moved: Moved) -> BadData:
        """What `moved` is if it comes back although nobody else writes: no race, but something that refuses."""
        with translated():
            return await self._writers.blamed(self._engine, moved)

    async def _transact(self, batch: Batch, grouped: Grouped, mode: Mode) -> Receipt:
        async with self._engine.connect() as connection:
            transaction = await connection.begin()
            check = self._check.due()
            unit = await enter(connection, mode, check)
            with _checked(unit):
                receipt = await self._apply(unit, batch, grouped)
                unit.commit_with(positions.move(self._group_id, batch.spans, receipt.totals, batch.fingerprints))
                await _commit(unit, transaction, receipt)
            if check:
                self._check.passed()
        return receipt

    async def took_effect(self, batch: Batch) -> bool:
        """Whether a batch whose COMMIT was not answered is applied: then its positions have moved under our epochs."""
        with translated():
            async with self._engine.connect() as connection:
                stored = await positions.read(connection, self._group_id, batch.spans)
        moved = {p: (claim.next_offset, claim.epoch) for p, claim in stored.items()}
        return moved == {p: (span.next_offset, span.epoch) for p, span in batch.spans.items()}

    async def _apply(self, unit: Unit, batch: Batch, grouped: Grouped) -> Receipt:
        connection, receipt = unit.connection, Receipt()
        rejections = list(grouped.rejections)
        late: list[Rejection] = []
        for entity in self._writers:  # parents before children
            if events := grouped.events.get(entity):
                written = await self._writers.write(unit, entity, events)
                receipt.add(batch, written)
                rejections += written.rejected
                late += written.released_rejections
        receipt.count(batch, Outcome.REJECTED, rejections)
        receipt.count(batch, Outcome.IGNORED, grouped.ignored)
        receipt.rejections = rejections
        assert sum(c.total() for c in receipt.totals.values()) == len(batch.decoded), "a record has no outcome"
        known = await dead_letters.known(connection, [*rejections, *late])
        known_ids = {id(rejection) for rejection in known}
        receipt.new = [r for r in rejections if id(r) not in known_ids]
        self._fuse.judge(batch, receipt.new, known)
        await self._maintenance.run_due(connection)
        misnamed = [one for one in batch.decoded if type(one) is MisnamedEvent]
        receipt.odd = oddities.oddities([*grouped.ignored, *misnamed], self._types)
        await oddities.count(connection, self._group_id, receipt.odd)
        late = [r for r in late if id(r) not in known_ids]
        await dead_letters.insert(connection, [*receipt.new, *late], self._secrets)
        return receipt


@asynccontextmanager
async def by_hand(engine: AsyncEngine, writers: Writers, mode: Mode) -> AsyncIterator[Unit]:
    """A transaction in which a command writes records again. It moves no position: each was acknowledged once and for
    all when its position moved past it.

    Within, the work is done, and committed by `unit.connection.commit()`; otherwise it is rolled back. Errors as those
    of `Transaction.apply`; Locked where a statement waits too long for a row or a table that an application holds, as
    the service would wait with it. For the lock of `enter` it always waits.
    """
    limit = f"SELECT set_config('lock_timeout', '{LOCK_LIMIT[mode.shared]}', true)"
    with translated():
        try:
            async with engine.connect() as connection:
                await connection.begin()
                yield await enter(connection, mode, limit)
        except DBAPIError as error:
            ours = await writers.read(engine, error, mode)
            locked = getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE and not isinstance(ours, BadData)
            raise (Locked() if locked else ours) from None


@contextmanager
def _checked(unit: Unit) -> Iterator[None]:
    """Turn an error of the comparison of positions, which rides on BEGIN, into PositionsMoved. Once the transaction has
    begun, errors are those of other statements."""
    try:
        yield
    except DBAPIError as error:
        if not unit.started and getattr(error.orig, "sqlstate", None) == positions.FENCED:
            raise PositionsMoved from None
        raise


async def _commit(unit: Unit, transaction: AsyncTransaction, receipt: Receipt) -> None:
    """Commit, and move the positions with it. If the connection survives an error, nothing was committed."""
    if not unit.started:  # SQLAlchemy sends BEGIN with the first statement, and there was none
        await unit.connection.exec_driver_sql("SELECT")
    try:
        await transaction.commit()
    except DBAPIError as error:
        if in_a_function(error.orig.__cause__ if error.orig is not None else None):
            raise  # a deferred trigger of an application has raised it, with whatever SQLSTATE
        if getattr(error.orig, "sqlstate", None) == positions.FENCED:
            raise Fenced from None
        if error.connection_invalidated:
            raise CommitUnknown(receipt) from error
        raise
    except Exception as error:
        raise CommitUnknown(receipt) from error
    assert unit.committed, "committed without the positions"
