"""The demo's own Postgres, broker and service."""
