"""The service writes down which of its settings the commands must share. The version before does not know the table

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "service_settings",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("event_max_bytes", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_service_settings")),
        schema="projector",
    )


def downgrade() -> None:
    op.drop_table("service_settings", schema="projector")
