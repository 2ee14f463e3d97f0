"""The names of the change log, which followers read and triggers write.

`projector changes enable` makes the triggers, four on each table that applications read. Migration 0013 has the
function that they execute. A row of the log is what one statement has touched, at most 1000 ids.
"""

from neon_projector.models.base import CONTROL_SCHEMA

CHANGES = f"{CONTROL_SCHEMA}.changes"
"""The log, in SQL."""
NOTE_CHANGES = "note_changes"
"""The triggers' function, in the schema CONTROL_SCHEMA."""
TRIGGERS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
"""Each table has one trigger for each of these, which fires whatever `session_replication_role` is."""
EVERY_TRIGGER = f"""(
    SELECT count(*) = {len(TRIGGERS)} FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE g.tgrelid = to_regclass({{0}}) AND n.nspname = '{CONTROL_SCHEMA}' AND p.proname = '{NOTE_CHANGES}'
        AND g.tgenabled = 'A')"""
"""A condition in SQL: whether the table that the expression names (`'public.users'`) has all of its triggers."""
