"""`rebuild`: brings what `verify` finds to what the topics say, entity by entity. Start with `rebuild.py`."""
