"""Positions are the truth: they live in Postgres."""
