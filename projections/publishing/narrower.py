"""Whether the rule of a field takes less than it did, or more."""

import json
from collections.abc import Iterator
from typing import Any

from neon_projector.projections.publishing.form import Schema

LOWER, UPPER = ("minimum", "minLength"), ("maximum", "maxLength")
SILENT = {"title", "description", "examples", "format"}
"""They decide nothing: `format` stands beside a pattern."""


def changes_of_rule(old: Schema, new: Schema) -> Iterator[tuple[str, bool]]:
    """What has changed, and whether it takes at least what it took."""
    yield from _kinds(old, new)
    for name in sorted((old.keys() | new.keys()) - SILENT - {"type"}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if name in LOWER + UPPER:
            yield f"{name} was {_said(before)}, is {_said(after)}", _wider(before, after, upper=name in UPPER)
        elif name == "default":
            yield f"left out it meant {_said(before)}, now {_said(after)}", False
        elif after is None:
            yield f"its {name} is gone: it takes more", True
        else:
            yield f"has another {name}: whether it takes what it took can't be told", False


def _kinds(old: Schema, new: Schema) -> Iterator[tuple[str, bool]]:
    before, after = _types(old), _types(new)
    if gone := before - after:
        yield f"no longer takes: {', '.join(sorted(gone))}", False
    if more := after - before:
        yield f"takes also: {', '.join(sorted(more))}", True


def _types(rule: Schema) -> set[str]:
    types = rule.get("type", [])
    named = {types} if isinstance(types, str) else set(types)
    return named | ({"integer"} if "number" in named else set())


def _wider(before: Any, after: Any, *, upper: bool) -> bool:
    if before is None or after is None:
        return after is None
    return bool(after >= before if upper else after <= before)


def _said(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
