"""The page at `/`: how this instance stands, for people. Nothing here asks the database or Kafka."""
