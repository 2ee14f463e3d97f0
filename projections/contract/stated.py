"""What a bad record says of itself, as far as that can be read."""

from collections.abc import Iterable

import orjson

MOST = 2**63 - 1


def stated_version(value: bytes | None, header_names: Iterable[str]) -> int | None:
    """The `version` in the data of a record that was rejected: a number from 1 to 2^63-1, also as digits in quotes (it
    may be what the record was rejected for); None where there is none, or it can't be read (no JSON, masked, cut)."""
    try:
        found = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    if not any(name.lower().startswith("ce_") for name in header_names):
        found = found.get("data") if isinstance(found, dict) else None
    version = found.get("version") if isinstance(found, dict) else None
    if isinstance(version, str) and version.isascii() and version.isdigit() and len(version) < 20:
        version = int(version)
    return version if type(version) is int and 1 <= version <= MOST else None
