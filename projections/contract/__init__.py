"""The event contract: from a record to an event, a rejection, or nothing."""
