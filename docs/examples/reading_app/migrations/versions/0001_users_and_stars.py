"""Users and stars

Revision ID: 0001
Revises: none
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="reading_app",
    )
    op.create_table(
        "stars",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["reading_app.users.id"],
        ),
        sa.PrimaryKeyConstraint("user_id", "document_id"),
        schema="reading_app",
    )
    op.create_index(
        op.f("ix_reading_app_stars_document_id"), "stars", ["document_id"], unique=False, schema="reading_app"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_reading_app_stars_document_id"), table_name="stars", schema="reading_app")
    op.drop_table("stars", schema="reading_app")
    op.drop_table("users", schema="reading_app")
