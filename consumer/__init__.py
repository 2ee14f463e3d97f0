"""The shell: everything that touches the world. ARCHITECTURE.md follows one record through it."""
