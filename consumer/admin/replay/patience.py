"""How long a command waits for a database that does not answer."""

import time
from collections.abc import Callable

from neon_projector.consumer.batch import Batch
from neon_projector.consumer.errors import Conflict, TransientError

PATIENCE_SECONDS = 60.0
"""A failover, or Neon waking, takes less."""


class Patience:
    """A `BatchListener`: tells once that it waits, and gives up after a minute; the work can then be resumed."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._since: float | None = None

    def answered(self) -> None:
        """Nothing is waited for any more."""
        self._since = None

    def troubled(self, trouble: TransientError, *, again: bool) -> None:
        """Raises `trouble` where there was no success for too long. A conflict with another writer is no trouble."""
        now = time.monotonic()
        if isinstance(trouble, Conflict):
            return
        if self._since is None:
            self._since = now
            self._tell(f"waiting for the database: {trouble.detail or trouble}")
        elif now - self._since > PATIENCE_SECONDS:
            raise trouble

    def lasts(self, batch: Batch, conflict: Conflict) -> None:
        """It goes on."""

    def written(self, batch: Batch) -> None:
        """It answers."""
        self._since = None
