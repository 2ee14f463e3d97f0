"""The change log, for those who follow the tables. It is empty until `projector changes enable`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Identity, Integer, Text, Uuid
from sqlmodel import Field

from neon_projector.models.control.base import Control


class Change(Control, table=True):
    """What one statement has touched in one table: `ids`, at most 1000, and how many they are in `size`.

    `xid` is the number of the transaction (`pg_current_xact_id`). Readers take those below the oldest transaction that
    is still open, in the order of (`xid`, `number`): so none comes later below what they have read. `at` tells two rows
    of one place apart, after the database was put back to an earlier moment. The log begins with a row of xid 0,
    without a table.
    """

    __tablename__ = "changes"

    xid: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    number: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    table_name: str = Field(sa_type=Text)
    size: int = Field(sa_type=Integer)
    ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    at: datetime = Field(sa_type=DateTime(timezone=True))
