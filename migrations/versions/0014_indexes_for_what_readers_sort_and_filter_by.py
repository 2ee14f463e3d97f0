"""Indexes for what readers sort and filter by, in place of those that carried less; and where a parked record is

On a large table an operator makes them beforehand, CONCURRENTLY and by these names (docs/runbook.md, Upgrade). Then
this finds them, and only drops the old ones.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OLD = (
    ("ix_users_created_at", "users", ["created_at"]),
    ("ix_users_is_active", "users", ["is_active"]),
    ("ix_documents_created_at", "documents", ["created_at"]),
    ("ix_documents_user_id", "documents", ["user_id"]),
    ("ix_documents_title", "documents", ["title"]),
)


NEW = (
    ("ix_users_created_at_id", "users (created_at, id)"),
    ("ix_users_inactive", "users (created_at, id) WHERE NOT is_active"),
    ("ix_documents_created_at_id", "documents (created_at, id)"),
    ("ix_documents_user_id_created_at_id", "documents (user_id, created_at, id)"),
    ("ix_documents_title_prefix", "documents (title text_pattern_ops)"),
    ("ix_parked_events_topic_partition_offset", 'projector.parked_events (topic, partition, "offset")'),
)
UNFINISHED = f"""
    DO $$ DECLARE left_behind regclass; BEGIN
        FOR left_behind IN SELECT indexrelid::regclass FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
            WHERE NOT indisvalid AND relname IN ({", ".join(f"'{name}'" for name, _ in NEW)}) AND relnamespace IN
                ('public'::regnamespace, 'projector'::regnamespace)
        LOOP
            EXECUTE format('DROP INDEX %s', left_behind);
        END LOOP;
    END $$"""
"""What an interrupted CREATE INDEX CONCURRENTLY leaves has the name, and serves nobody."""


def upgrade() -> None:
    op.execute(UNFINISHED)
    for name, on in NEW:
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {on}")
    for name, table, _ in OLD:
        op.drop_index(name, table_name=table)


def downgrade() -> None:
    for name, table, columns in OLD:
        op.create_index(name, table, columns)
    op.drop_index("ix_parked_events_topic_partition_offset", table_name="parked_events", schema="projector")
    op.drop_index("ix_documents_title_prefix", table_name="documents")
    op.drop_index("ix_documents_user_id_created_at_id", table_name="documents")
    op.drop_index("ix_documents_created_at_id", table_name="documents")
    op.drop_index("ix_users_inactive", table_name="users")
    op.drop_index("ix_users_created_at_id", table_name="users")
