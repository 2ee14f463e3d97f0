"""The directory on disk of each verification, for what it has read. FatalError where the disk does not do its part."""

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


def remove(operation_id: int, directory: str | None) -> None:
    """Only what can be ours, whatever the database says."""
    path = Path(directory or "/")
    if path.name.startswith(f"{PREFIX}{operation_id}-"):
        with on_disk():
            if path.parent == Path(tempfile.gettempdir()):
                shutil.rmtree(path, ignore_errors=True)
