"""What operators' commands do; `consumer.cli` reads their options and prints."""
