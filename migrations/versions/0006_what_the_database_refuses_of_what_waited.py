"""What the database refuses of what waited is kept aside as `refused`, with what refused it

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHECK = "ALTER TABLE projector.absent_states ADD CONSTRAINT ck_absent_states_reason CHECK (reason IN ({}))"
BEFORE = "'deleted', 'erased', 'no_parent', 'parent_deleted', 'contested'"


def upgrade() -> None:
    op.execute("ALTER TABLE projector.absent_states DROP CONSTRAINT ck_absent_states_reason")
    op.execute(CHECK.format(f"{BEFORE}, 'refused'"))
    op.add_column("absent_states", sa.Column("error", sa.Text(), nullable=True), schema="projector")
    op.create_index(
        "ix_absent_states_refused",
        "absent_states",
        ["entity", "id"],
        schema="projector",
        postgresql_where=sa.text("reason = 'refused'"),
    )


def downgrade() -> None:
    op.execute(
        "UPDATE projector.absent_states SET reason = CASE WHEN state ? 'user_id' THEN 'no_parent' ELSE 'contested' END,"
        " waiting_for = CAST(state ->> 'user_id' AS uuid) WHERE reason = 'refused'"
    )
    op.drop_index("ix_absent_states_refused", table_name="absent_states", schema="projector")
    op.drop_column("absent_states", "error", schema="projector")
    op.execute("ALTER TABLE projector.absent_states DROP CONSTRAINT ck_absent_states_reason")
    op.execute(CHECK.format(BEFORE))
