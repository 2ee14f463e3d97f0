"""Puts many rows into a side table at once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection


async def copy_rows(
    connection: AsyncConnection, name: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Within the caller's transaction. `name` has its schema: `projector.operation_7_user_expected`."""
    await connection.exec_driver_sql("SELECT")  # begins the transaction: SQLAlchemy sees nothing of a COPY
    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None
    schema, _, table = name.partition(".")
    await raw.copy_records_to_table(table, schema_name=schema, columns=columns, records=rows)
