"""Writes one entity's events inside the open transaction."""
