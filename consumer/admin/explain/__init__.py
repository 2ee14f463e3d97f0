"""`explain`: what is stored of an entity, what it waits for, and what its records in Kafka make of it."""
