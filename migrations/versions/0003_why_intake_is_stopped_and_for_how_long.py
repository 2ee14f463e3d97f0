"""A stop of intake says why and for how long, and which topics go on nevertheless. The version before leaves them empty

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = (
    sa.Column("message", sa.Text(), nullable=True),
    sa.Column("until", sa.DateTime(timezone=True), nullable=True),
    sa.Column("except_topics", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
)


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("intake_stops", column.copy(), schema="projector")


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column("intake_stops", column.name, schema="projector")
