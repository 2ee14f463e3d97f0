"""Debezium's JDBC sink in Kafka Connect, as `make bench-peers` runs it."""
