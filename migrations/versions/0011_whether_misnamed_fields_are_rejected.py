"""Commands judge fields under another name as the service does: `service_settings` has its CONTRACT_STRICT

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column: sa.Column[bool] = sa.Column(
        "contract_strict", sa.Boolean(), server_default=sa.text("false"), nullable=False
    )
    op.add_column("service_settings", column, schema="projector")


def downgrade() -> None:
    op.drop_column("service_settings", "contract_strict", schema="projector")
