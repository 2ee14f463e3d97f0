"""`projector demo`: the whole service on an embedded Postgres and an embedded broker."""
