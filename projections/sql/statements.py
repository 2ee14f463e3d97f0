"""The SQL of each projection, made once from its table's metadata: one statement for a whole batch, never per row.

Every statement takes arrays, one per column (`unnest`), so its text does not depend on the batch. `ON CONFLICT DO
UPDATE` never names a unique column: that would take a row lock that conflicts with the lock of foreign keys, and the
streams of two tables would deadlock again and again. A separate statement changes unique columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql import changes, unique_columns, upserts, waiting
from neon_projector.projections.sql.carried import load, load_absent, load_parked
from neon_projector.projections.sql.parts import ABSENT


@dataclass(frozen=True)
class Statements:
    """What the transaction executes for one projection. Each array parameter has the name of its column."""

    upsert: TextClause
    """Insert rows, or update them to a higher version. Returns the ids that it left out (`left_out`: the stored
    version is not lower), and the ids whose unique columns still have to be changed."""
    take: TextClause
    """The same for complete states whose stored rows were not read. It also leaves out entities that have a state kept
    aside or a parked event, and those of `:several` whose stored version is not lower than their `:oldest`. If one
    parent is missing, the foreign key fails the whole statement."""
    take_new: TextClause
    """The same, but states of version 1 are inserted without ON CONFLICT, which saves a tenth of their cost: Postgres
    need not insert them speculatively. If one of these entities exists, the unique index fails the whole statement."""
    take_looking: TextClause
    """The same as `take`. It also leaves out states whose parent is missing (`lonely`) or whose unique value is held by
    another row (`denied`)."""
    change: TextClause
    """Bring rows from version `:base` to `:version`, and set the columns whose bit is in `:mask`. It skips rows at
    another version, and entities that have a state kept aside or a parked event. Returns the changed ids."""
    move_unique: TextClause | None
    """Change the unique columns of rows that `upsert` or `take` has brought to `:version`. None without any."""
    holders: Mapping[str, TextClause]
    """By unique column: the rows that hold the values `:value`, locked against changes."""
    seen_holders: Mapping[str, TextClause]
    """The same without a lock."""
    vacate: TextClause | None
    """Give the unique columns of `:id` placeholder values, so that rows can swap theirs. None without any."""
    contested_by: TextClause
    """The contested states that wait for a value held by one of `:id`, and those among `:holder`."""
    load: TextClause
    """The rows of `:id`, locked, with hashes for carried columns, and whether triggers may have changed them."""
    lock: TextClause
    """Lock the rows of `:id`, so that no other transaction can insert a row that references them."""
    delete: TextClause
    load_absent: TextClause
    """The states of `:id` that are kept aside, in the table's own types."""
    put_aside: TextClause
    """Keep states aside; a newer or equal version replaces the one that is already there."""
    put_new_aside: TextClause
    """The same for entities that have nothing aside, at two thirds of the cost."""
    put_unknown_aside: TextClause
    """The same, but it leaves out entities of which anything is stored. Returns the ids of those that are kept."""
    refuse: TextClause
    """Mark states that are kept aside as `refused`."""
    drop_absent: TextClause
    load_parked: TextClause
    park: TextClause
    unpark: TextClause


def statements_for(registry: Registry, projection: Projection) -> Statements:
    """All of one projection's statements."""
    table, entity = projection.table_name, projection.entity
    return Statements(
        upsert=upserts.upsert(projection),
        take=upserts.take(projection),
        take_new=upserts.take_new(projection),
        take_looking=upserts.take_looking(registry, projection),
        change=changes.change(projection),
        move_unique=unique_columns.move_unique(projection),
        holders={c: text(f"{holding} FOR NO KEY UPDATE") for c, holding in unique_columns.holding(projection).items()},
        seen_holders={c: text(holding) for c, holding in unique_columns.holding(projection).items()},
        vacate=unique_columns.vacate(projection),
        contested_by=waiting.contested_by(entity),
        load=text(load(projection)),
        lock=text(f"SELECT id FROM {table} WHERE id = ANY(CAST(:id AS uuid[])) ORDER BY id FOR UPDATE"),
        delete=text(f"DELETE FROM {table} WHERE id = ANY(CAST(:id AS uuid[]))"),
        load_absent=text(load_absent(projection)),
        put_new_aside=waiting.put_new_aside(projection),
        put_unknown_aside=waiting.put_unknown_aside(projection),
        put_aside=waiting.put_any_aside(projection),
        refuse=waiting.refuse(entity),
        drop_absent=text(f"DELETE FROM {ABSENT} WHERE entity = '{entity}' AND id = ANY(CAST(:id AS uuid[]))"),
        load_parked=text(load_parked(projection)),
        park=waiting.park(entity),
        unpark=waiting.unpark(entity),
    )
