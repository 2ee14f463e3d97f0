"""The database's schema: migrated under a lock, compared with what this version needs."""
