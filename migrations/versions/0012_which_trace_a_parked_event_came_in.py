"""`explain` names the trace of what waits: `parked_events` keeps the traceparent that an event came with

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parked_events", sa.Column("traceparent", sa.Text(), nullable=True), schema="projector")


def downgrade() -> None:
    op.drop_column("parked_events", "traceparent", schema="projector")
