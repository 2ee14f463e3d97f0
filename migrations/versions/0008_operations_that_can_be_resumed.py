"""Long work has a state, a range and a progress in `operations`; `replays`, which nothing ever wrote to, goes

Rows of the version before are commands that were done when they were written: the default is `completed`.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATES = "'started', 'running', 'paused', 'completed', 'failed', 'cancelled'"


def upgrade() -> None:
    for column in (
        sa.Column("state", sa.Text(), server_default=sa.text("'completed'"), nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ranges", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("position", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    ):
        op.add_column("operations", column, schema="projector")
    op.create_check_constraint(op.f("ck_operations_state"), "operations", f"state IN ({STATES})", schema="projector")
    op.drop_table("replays", schema="projector")


def downgrade() -> None:
    op.create_table(
        "replays",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("from_offset", sa.BigInteger(), nullable=False),
        sa.Column("to_offset", sa.BigInteger(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", "topic", "partition", name=op.f("pk_replays")),
        schema="projector",
    )
    op.drop_constraint(op.f("ck_operations_state"), "operations", schema="projector")
    for name in ("error", "total", "position", "ranges", "filter", "updated_at", "done", "epoch", "state"):
        op.drop_column("operations", name, schema="projector")
