"""Commands read the records that the service reads: `service_settings` has its KAFKA_ISOLATION_LEVEL

Empty until an instance of this version claims a partition: the version before does not write it.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column: sa.Column[str] = sa.Column("kafka_isolation_level", sa.Text(), nullable=True)
    op.add_column("service_settings", column, schema="projector")


def downgrade() -> None:
    op.drop_column("service_settings", "kafka_isolation_level", schema="projector")
