"""A record that nobody has published yet."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

Headers = Mapping[str, bytes | str | None] | Iterable[tuple[str, bytes | str | None]]
"""As Kafka's clients take them: pairs, or a dict; text stands for its UTF-8."""


class Given(NamedTuple):
    """A record as it would be published. Without a key it is judged as if keyed by its entity's id."""

    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    key: bytes | None = None
    topic: str = ""
    partition: int = 0
    offset: int = 0
    timestamp: int = 0


def given(value: bytes | str | None, headers: Headers = (), key: bytes | str | None = None, number: int = 1) -> Given:
    """The record as bytes; its `offset` is the number. TypeError names what is neither bytes nor text."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    found = tuple((name, _bytes(f"header {name}", text)) for name, text in pairs)
    return Given(_bytes("value", value), found, _bytes("key", key), offset=number)


def _bytes(what: str, came: bytes | str | None) -> bytes | None:
    if isinstance(came, str):
        return came.encode("utf-8", "surrogatepass")
    if came is None or isinstance(came, bytes | bytearray | memoryview):
        return None if came is None else bytes(came)
    raise TypeError(f"{what}: bytes or text as the record has them, {type(came).__name__} came")
