"""Measurements of the whole service on real parts. `make bench` runs them."""
