"""Tells from a driver's error alone what it is about, while records are applied."""

from typing import Any

from neon_projector.consumer.errors import BadData
from neon_projector.consumer.recovery.table import CLASSES, FORBIDDEN, known
from neon_projector.models.change_log import NOTE_CHANGES

LANGUAGES = ("pl_exec.c", "plpy_", "plperl.c", "pltcl.c")
"""Source files of the procedural languages. An error from there was raised by an application's function."""
IN_A_FUNCTION = "PL/"
"""Part of the error's context if it happened in a procedural language's function, whatever language the server's
messages are in."""
PASSING = ("08", "40", "53", "57", "58", "XX", "25006", "55P03")
"""SQLSTATEs, or their beginnings, that are about the server and not about the record, wherever they happen."""


def raised(driver: Any) -> bool:
    """Whether a procedural language's function raised it itself, with whatever SQLSTATE."""
    return (driver.server_source_filename or "").startswith(LANGUAGES)


def in_a_function(driver: Any) -> bool:
    """Whether it happened in a procedural language's function."""
    return IN_A_FUNCTION in (getattr(driver, "context", None) or "")


def in_the_change_log(driver: Any) -> bool:
    """Whether it happened in the function of our own triggers: the innermost of the context."""
    innermost = next((line for line in (driver.context or "").splitlines() if IN_A_FUNCTION in line), "")
    return f"{NOTE_CHANGES}()" in innermost


def is_by_policy(driver: Any) -> bool:
    return bool(driver.server_source_function == "ExecWithCheckOptions")


def is_a_refusal(driver: Any, state: str) -> bool:
    if state == FORBIDDEN:
        return is_by_policy(driver)
    row = known(state, str(driver))
    return row.kind is BadData if row is not None else state[:2] not in CLASSES
