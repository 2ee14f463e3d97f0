"""Logs: a line each, on standard error, never with a value of an event."""
