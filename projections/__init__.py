"""The pure core: the event contract, decoding, folding, deciding. No clock, no async, no Kafka, no session.

What publishers use in their own tests stands here by name, and is imported when it is first asked for. It needs the
extra `kit`:

    from neon_projector import projections

    assert projections.check(value, headers, key) == []
    tables = projections.assert_projectable(events)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neon_projector.projections.checking.problem import Problem
    from neon_projector.projections.kit.check import check
    from neon_projector.projections.kit.projectable import assert_projectable
    from neon_projector.projections.kit.tables import Tables, Waiting
    from neon_projector.projections.kit.vectors import Vector, vectors

__all__ = ["Problem", "Tables", "Vector", "Waiting", "assert_projectable", "check", "vectors"]

_PLACES = {
    "Problem": "checking.problem",
    "Tables": "kit.tables",
    "Vector": "kit.vectors",
    "Waiting": "kit.tables",
    "assert_projectable": "kit.projectable",
    "check": "kit.check",
    "vectors": "kit.vectors",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        place = import_module(f"{__name__}.{_PLACES[name]}")
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("neon_projector"):
            raise
        # no AttributeError: who asks for a name of a module would hide it
        raise ImportError(f"the testing kit needs {missing.name}: pip install 'neon-projector[kit]'") from None
    return getattr(place, name)
