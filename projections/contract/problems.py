"""Turns what pydantic says about `data` into sentences: no code of a library reaches a person."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from neon_projector.projections.contract.fields import ID_PROBLEM, TIME_PROBLEM
from neon_projector.projections.contract.outcome import Reason, Rejected
from neon_projector.projections.contract.problem_values import address_problem, time_problem
from neon_projector.projections.contract.words.kinds import kind_of, shown, text_of
from neon_projector.projections.contract.words.of_data import (
    A_CLOUD_EVENT,
    A_STRING,
    A_UUID,
    A_WHOLE_NUMBER,
    AT_LEAST,
    AT_LEAST_CHARACTERS,
    AT_MOST,
    AT_MOST_CHARACTERS,
    BREAKS_A_RULE,
    REQUIRED,
    TRUE_OR_FALSE,
)

Said = Callable[[str, Any, Mapping[str, Any]], Rejected]
"""What is said of a field: its name, what came, and what pydantic knows of the rule."""

SENTENCES: Mapping[str, Said] = {
    "missing": lambda field, _, __: REQUIRED.rejected(field=field),
    "string_type": lambda field, came, _: A_STRING.rejected(field=field, came=kind_of(came)),
    "string_too_short": lambda field, _, rule: AT_LEAST_CHARACTERS.rejected(field=field, least=rule["min_length"]),
    "string_too_long": lambda field, came, rule: AT_MOST_CHARACTERS.rejected(
        field=field, most=rule["max_length"], came=len(came)
    ),
    "int_type": lambda field, came, _: A_WHOLE_NUMBER.rejected(field=field, came=kind_of(came)),
    "greater_than_equal": lambda field, came, rule: AT_LEAST.rejected(field=field, least=rule["ge"], came=shown(came)),
    "less_than_equal": lambda field, came, rule: AT_MOST.rejected(field=field, most=rule["le"], came=shown(came)),
    "bool_type": lambda field, came, _: TRUE_OR_FALSE.rejected(field=field, came=kind_of(came)),
    "uuid_parsing": lambda field, came, _: A_UUID.rejected(field=field, came=text_of(came)),
    "value_error": lambda field, came, _: address_problem(field, came),
    ID_PROBLEM: lambda field, came, _: A_UUID.rejected(field=field, came=kind_of(came)),
    TIME_PROBLEM: lambda field, came, _: time_problem(field, came),
}
"""By pydantic's error type: all types that the contract's fields can raise (a test tries)."""


def wrong_data(error: ValidationError, type_: str, data: Mapping[str, Any]) -> Rejected:
    """The rejection of `data`: all fields that are wrong, each with its sentence."""
    if "specversion" in data and "type" in data:
        return A_CLOUD_EVENT.rejected(type=type_)
    said = {_said(problem).error for problem in error.errors(include_url=False)}
    return Rejected(Reason.INVALID_DATA, "; ".join(sorted(said)))


def _said(problem: Mapping[str, Any]) -> Rejected:
    field = f"data.{problem['loc'][0]}"
    say = SENTENCES.get(problem["type"])
    return say(field, problem["input"], problem.get("ctx", {})) if say else BREAKS_A_RULE.rejected(field=field)
