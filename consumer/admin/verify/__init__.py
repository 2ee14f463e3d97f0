"""`verify`: are the tables what the topics say? Computed again aside, up to the positions of one snapshot.

It blocks nobody, and changes nothing of what the service keeps. Start with `verify.py`; `work.py` has the steps.
"""
