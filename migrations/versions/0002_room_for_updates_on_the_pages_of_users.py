"""Room for updates on the pages of users: one that changes no indexed column stays there, and no index is touched

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE users SET (fillfactor = 85)")


def downgrade() -> None:
    op.execute("ALTER TABLE users RESET (fillfactor)")
