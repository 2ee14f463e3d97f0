"""A position remembers its topic's id. The version before leaves it empty, and then the next claim fills it in

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("offsets", sa.Column("topic_id", sa.Text(), nullable=True), schema="projector")


def downgrade() -> None:
    op.drop_column("offsets", "topic_id", schema="projector")
