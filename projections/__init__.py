"""The pure core: the event contract, decoding, folding, deciding. No clock, no async, no Kafka, no session."""
