"""What an entity is: the fold of its events by version."""
