"""Stands for a large value that stays in the database: its hash, and the version that holds it."""

import hashlib
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Kept:
    """A stored text that was not loaded. It equals a text, or another Kept, with the same hash."""

    digest: bytes
    """SHA-256 of the text in UTF-8, computed by Postgres. It is empty if no arriving event needs the comparison: then
    this value equals no text, and only a Kept of the same version."""
    version: int
    """The version of the row, the state kept aside or the parked event that holds the text."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.digest == hashlib.sha256(other.encode()).digest()
        if not isinstance(other, Kept):
            return NotImplemented
        return self.digest == other.digest if self.digest and other.digest else self.version == other.version

    def __hash__(self) -> int:
        raise TypeError("a text that this equals has another hash")
