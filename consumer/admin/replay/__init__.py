"""`replay`: a range of the topics read again beside the running service, by the way of every record."""
