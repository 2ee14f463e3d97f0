"""What is said about a bad record: one table of sentences, each with its cause and what to do."""
