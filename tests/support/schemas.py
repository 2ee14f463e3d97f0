"""JSON Schema as the tests use it: patterns as ECMA-262 reads them, and the alternative of an event's own type."""

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from neon_projector.projections.publishing.form import Schema


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """`$` is the end of the text (ECMA-262); Python's own also matches before a line's end."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError("does not match")


Validator = extend(Draft202012Validator, {"pattern": _pattern})


class Verdict:
    """What a schema of the contract says about events. It goes by `type` to the alternative that can accept one, which
    takes an eighth of the time; a test compares that with the whole schema."""

    def __init__(self, schema: Schema) -> None:
        self.whole = Validator(schema)
        named = {one["properties"]["type"].get("const"): one for one in schema["oneOf"]}
        self._other = Validator(named.pop(None, False))
        self._types = {name: Validator(one) for name, one in named.items()}

    def accepts(self, event: Any) -> bool:
        named = event.get("type") if isinstance(event, dict) else None
        return bool(self._types.get(str(named), self._other).is_valid(event))
