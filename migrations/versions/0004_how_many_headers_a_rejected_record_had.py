"""How many headers a rejected record had: its letter keeps the first ones. The version before leaves it empty

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dead_letters", sa.Column("header_count", sa.Integer(), nullable=True), schema="projector")


def downgrade() -> None:
    op.drop_column("dead_letters", "header_count", schema="projector")
