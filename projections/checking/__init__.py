"""What is wrong with events before they are published: each by the service's own decoder, and one beside the other."""
