"""Kafka: the member of the group, what it fetches, how its errors are read."""
