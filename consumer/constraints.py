"""Which constraints are ours: an application may have its own on our tables, and no waiting mends what those refuse."""

from functools import cache

from models import metadata


def is_ours(name: str | None) -> bool:
    """Whether `name` is a constraint or unique index of this project's tables; where none is told, it is taken so."""
    return name is None or name in _names()


@cache
def _names() -> frozenset[str]:
    names: set[str] = set()
    for table in metadata.tables.values():
        names |= {str(constraint.name) for constraint in table.constraints}
        names |= {str(index.name) for index in table.indexes}
    return frozenset(names)
