"""What a command is given by its shell: arguments that may be no text, an output that may take none."""

import errno
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from neon_projector.consumer.errors import Refused

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a file says that takes no more."""


def wrong_argument(arguments: Sequence[str]) -> str | None:
    """Why these can't be used: neither Kafka nor the database could be asked for what is no UTF-8. None: they can."""
    for one in arguments:
        try:
            one.encode()
        except UnicodeEncodeError:
            return f"this argument is not UTF-8: {os.fsencode(one)!r}"
    return None


def absolute(path: Path) -> Path:
    """Refused where it is relative to a directory that was deleted under the shell."""
    try:
        return path.absolute()
    except FileNotFoundError:
        raise Refused("the directory that this shell is in was deleted: go to another one") from None


def open_output() -> None:
    """A closed output swallows what is printed; a terminal of another encoding shows `\\xfc` for what it has not."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  until the process ends
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
