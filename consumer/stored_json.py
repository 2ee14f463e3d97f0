"""JSON as it comes out of the database."""

from typing import Any

import orjson


def json_of(stored: Any) -> Any:
    """The value of a column of type `json` or `jsonb`, which the driver hands over as text; None for NULL."""
    return orjson.loads(stored) if isinstance(stored, str) else stored
