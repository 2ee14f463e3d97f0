"""The SQL of each projection, made once from its table's metadata."""
