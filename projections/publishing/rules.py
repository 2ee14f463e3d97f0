"""A schema's rules without its words: what is compared between versions."""

from typing import Any

WORDS = {"title", "description", "examples"}
NAMES = {"properties", "patternProperties"}
"""Below these, keys are names of fields, and `title` is one."""


def rules_of(schema: Any, *, names: bool = False) -> Any:
    """The same schema without titles, descriptions and examples."""
    if isinstance(schema, list):
        return [rules_of(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if names or key not in WORDS}
    return {key: rules_of(value, names=not names and key in NAMES) for key, value in kept.items()}
