"""One batch, one transaction: rows, what waits, dead letters, totals and positions."""
