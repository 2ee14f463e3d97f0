"""The SQL of `verify`: what the tables have is copied aside in one snapshot, what the topics say comes beside it, and
one statement for each projection compares the two.
"""
