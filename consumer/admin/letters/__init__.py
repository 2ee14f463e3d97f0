"""Dead letters in an operator's hands: chosen by a filter, looked at, tried again, given up."""
