"""The shell: everything that touches the world. The way of a record is told in ARCHITECTURE.md."""
