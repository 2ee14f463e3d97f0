"""A record that nobody has published yet."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

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


def given(
    value: bytes | str | None, headers: Headers | None = (), key: bytes | str | None = None, number: int = 1
) -> Given:
    """The record as bytes; its `offset` is the number. TypeError names the part that no record can have."""
    return Given(_bytes("value", value), _pairs(headers), _bytes("key", key), offset=number)


def _pairs(headers: Headers | None) -> tuple[tuple[str, bytes | None], ...]:
    try:
        pairs = [(name, value) for name, value in (headers.items() if isinstance(headers, Mapping) else headers or ())]
    except (TypeError, ValueError):
        raise TypeError(f"headers: pairs, or a dict, {type(headers).__name__} came") from None
    for name, _ in pairs:
        if not isinstance(name, str):
            raise TypeError(f"headers: names as text, {type(name).__name__} came")
    return tuple((name, _bytes(f"header {name}", value)) for name, value in pairs)


def _bytes(part: str, value: Any) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if value is None or isinstance(value, bytes | bytearray | memoryview):
        return None if value is None else bytes(value)
    raise TypeError(f"{part}: bytes, text or None, {type(value).__name__} came")
