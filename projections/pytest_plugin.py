"""The pytest plugin of the testing kit: pytest finds it by its entry point wherever neon-projector is installed.

It costs whoever does not use it nothing: the kit is imported by the first test that asks for the fixture.
"""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from neon_projector.projections.kit.tables import Tables


@pytest.fixture(scope="session")
def assert_projectable() -> "Callable[..., Tables]":
    """The function of `projections/kit/projectable.py`: folds events in memory, and returns the tables."""
    from neon_projector import projections  # noqa: PLC0415  no import cost for those who do not use it

    function: Any = projections.assert_projectable
    return function  # type: ignore[no-any-return]  # a lazy name
