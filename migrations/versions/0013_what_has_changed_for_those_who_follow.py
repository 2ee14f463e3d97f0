"""A log of what has changed, for those who follow the tables; `projector changes enable` makes its triggers

The function belongs to who migrates and runs with that role's rights (SECURITY DEFINER): whoever writes a row, also by
hand, needs no right on the log.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NOTE = """INSERT INTO projector.changes (xid, table_name, size, ids, at)
            SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint), TG_TABLE_NAME, count(*), array_agg(id),
                clock_timestamp()
            FROM (SELECT id, (row_number() OVER () - 1) / 1000 AS part FROM {0}) c GROUP BY part"""


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("xid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("xid", "number", name=op.f("pk_changes")),
        schema="projector",
    )
    whole = NOTE.format("%I.%I").replace("TG_TABLE_NAME", "%L")
    op.execute(f"""
        CREATE FUNCTION projector.note_changes() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
            IF TG_OP = 'TRUNCATE' THEN  -- before it: the rows are still there
                EXECUTE format('{whole}', TG_TABLE_NAME, TG_TABLE_SCHEMA, TG_TABLE_NAME);
            ELSE
                {NOTE.format("changed")};
            END IF;
            RETURN NULL;
        END $$""")
    op.execute("REVOKE EXECUTE ON FUNCTION projector.note_changes() FROM PUBLIC")


def downgrade() -> None:
    op.execute("DROP FUNCTION projector.note_changes() CASCADE")  # and the triggers
    op.drop_table("changes", schema="projector")
