"""Under which other names a publisher may send a field: as other languages spell it, or by another word for it.

Such a field is an unknown one, so the event is read without it: a flag has its default, a text stays as it was.
"""

from collections.abc import Collection, Container, Mapping, Sequence


def other_names(fields: Collection[str], called: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """By name, which of `fields` is probably meant: `isActive` and `IsActive` for `is_active`, and the other words for
    it in `called`, as they stand there and as `isActive` is spelled."""
    found: dict[str, str] = {}
    for field in sorted(fields):
        found |= dict.fromkeys((_camel(field), _camel(field, first=True)), field)
        found |= {name: field for word in called.get(field, ()) for name in (word, _camel(word))}
    return {name: field for name, field in found.items() if name not in fields}


def misnamed(names: Mapping[str, str], data: Container[str]) -> dict[str, str]:
    """The fields that `data` does not have, each with the other name (of `names`) under which it is there."""
    return {field: name for name, field in names.items() if name in data and field not in data}


def _camel(name: str, *, first: bool = False) -> str:
    head, *rest = name.split("_")
    return "".join([head.capitalize() if first else head, *(word.capitalize() for word in rest)])
