"""One transaction that applies records, as those see it who write in it."""

from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.mode import Mode
from neon_projector.models.connection import Connection, DriverTransaction
from neon_projector.projections.sql.parts import ABSENT, PARKED

WAITS = f"SELECT WHERE EXISTS (SELECT FROM {ABSENT} WHERE waiting_for IS NOT NULL) OR EXISTS (SELECT FROM {PARKED})"
"""The last statement sent with BEGIN: one row if anything waits for another entity or for an earlier version."""
NO_ROW = "SELECT 0"
"""The command tag of a SELECT that found nothing."""


class Unit(DriverTransaction):
    """A unit of work. `consumer.apply.lock.enter` makes it; it begins with the first statement on `connection`.

    `commit_with` takes the SQL that moves the positions.
    """

    def __init__(self, connection: AsyncConnection, driver: Connection, mode: Mode, first: str) -> None:
        super().__init__(driver, f"{first}; {WAITS}")
        self.connection, self.mode = connection, mode
        self.waiting = True
        """Whether anything may wait. Set once, with BEGIN. False: nothing waits, and nothing can begin to, because all
        that run beside this transaction keep nothing aside. True before BEGIN, and in exclusive modes, which may keep
        something aside themselves."""

    def began(self, tag: str) -> None:
        super().began(tag)
        self.waiting = tag != NO_ROW or not self.mode.shared
