"""The demo's lively stream of events, good and bad, and the truth about it."""
