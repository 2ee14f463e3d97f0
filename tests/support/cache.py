"""What tests bring from package registries once: kept in the user's cache, for all checkouts."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def cache(name: str, described_by: Path, lock: str) -> Iterator[Path]:
    """Where `name` is kept for this state of the file that describes it; nothing may be there yet. Within, no other
    process holds `lock`: neither Maven nor npm is a friend of two at once."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "neon-projector"
    home.mkdir(parents=True, exist_ok=True)
    with (home / lock).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield home / f"{name}-{hashlib.sha256(described_by.read_bytes()).hexdigest()[:16]}"
