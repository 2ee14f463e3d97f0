"""`traffic`: who sends how much, read from the topics beside the running service."""
