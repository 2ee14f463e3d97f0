"""How msgspec reads a field of the contract on the fast path."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Annotated, Any, get_args, get_origin

import msgspec
from pydantic.fields import FieldInfo

from neon_projector.projections.contract.fields import Content, Email, EntityId, Time

_KNOWN: Mapping[Any, Any] = {
    EntityId: Annotated[str, msgspec.Meta(min_length=36, max_length=36)],
    Email: str,
    Content: str | None,
    Time: str,
}
"""Fields with a rule of their own. `Reader` makes ids and times of their texts, and looks at addresses."""
_LIMITS = {"min_length", "max_length", "ge", "le"}
"""The limits that mean the same to msgspec and pydantic, by their names. Texts are counted in code points by both."""


def plain(hint: Any) -> Any:
    """What msgspec is to read for a field of this type: one of the above, or a strict text, number or flag, with limits
    or without. None for any other kind of field: the careful way then reads the events that have it."""
    if hint in _KNOWN:
        return _KNOWN[hint]
    kind, *rules = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    limits = [limit for rule in rules for limit in (rule.metadata if isinstance(rule, FieldInfo) else [rule])]
    if kind not in (str, int, bool) or not all(map(is_dataclass, limits)):
        return None
    said = {name: value for limit in limits for name, value in asdict(limit).items()}
    if said.pop("strict", None) is not True or not said.keys() <= _LIMITS:
        return None
    return Annotated[kind, msgspec.Meta(**said)] if said else kind
