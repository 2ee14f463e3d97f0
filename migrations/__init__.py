"""The schema's history, by Alembic. `projector migrate` runs it; an installed wheel carries it."""
