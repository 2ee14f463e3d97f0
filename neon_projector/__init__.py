"""Neon Projector: applies user and document events from Kafka to Neon (serverless Postgres).

The four packages stand at the top of the repository; here is a link to each, so that all is imported as
`neon_projector.…` in a checkout as when installed.
"""
