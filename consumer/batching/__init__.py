"""From what is read to batches: what is read ahead, how a slice is divided, what may run together."""
