"""A large value that stays in the database: what comes here is its hash, and where it stands."""

import hashlib
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Kept:
    """A stored text that nobody has read. It equals a text, and another one of these, by its hash."""

    digest: bytes
    """SHA-256 of the text in UTF-8; Postgres computes it. Empty where nothing that arrives can be compared with it:
    then it is like no text, and like itself alone."""
    version: int
    """That of what holds the text: the row, the state kept aside or the parked event of this entity."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.digest == hashlib.sha256(other.encode()).digest()
        if not isinstance(other, Kept):
            return NotImplemented
        return self.digest == other.digest if self.digest and other.digest else self.version == other.version

    def __hash__(self) -> int:
        raise TypeError("a text that this equals has another hash")
