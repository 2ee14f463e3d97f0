"""The directory on disk of each verification, for what it has read. FatalError where the disk does not do its part."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neon_projector.consumer.errors import FatalError

PREFIX = "neon-projector-verify-"
"""Before the operation's id."""


@contextmanager
def on_disk() -> Iterator[None]:
    """Within, an error of the file system is one line that says what to do."""
    try:
        yield
    except OSError as error:
        why = error.strerror or "there is none that can be written"
        raise FatalError(f"the temporary directory can't be used ({why}); TMPDIR names another one") from None


def make(operation_id: int) -> str:
    """A new one; its path."""
    with on_disk():
        return tempfile.mkdtemp(prefix=f"{PREFIX}{operation_id}-")


def is_usable(directory: str) -> bool:
    """Whether what an earlier runner has read can be used, and added to. Not where it is gone, is another user's, or
    where a person has set TMPDIR to another place, as `on_disk` says."""
    with on_disk():
        moved = os.environ.get("TMPDIR") and Path(directory).parent != Path(tempfile.gettempdir())
    return not moved and os.access(directory, os.W_OK | os.X_OK)


def remove(operation_id: int, directory: str | None) -> None:
    """Only what can be ours, whatever the database says; also where TMPDIR was another one then."""
    path = Path(directory or "/")
    if path.name.startswith(f"{PREFIX}{operation_id}-"):
        shutil.rmtree(path, ignore_errors=True)
