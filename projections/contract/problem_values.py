"""What is wrong with a time or an e-mail address, by its kind."""

import re
from typing import Any

from neon_projector.projections.contract.outcome import Reason, Rejected
from neon_projector.projections.contract.words.kinds import kind_of, text_of
from neon_projector.projections.contract.words.of_data import (
    A_TIME,
    AN_ADDRESS,
    AT_MOST_CHARACTERS,
    LEAP_SECOND,
    NO_SUCH_TIME,
)

LONGEST_ADDRESS = 254
"""Characters (RFC 3696, erratum 1690)."""

_DATE, _CLOCK, _ZONE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?", r"([Zz]|[+-][0-9:]+)"
_FORMS = (
    (f"{_DATE}[Tt ]{_CLOCK}", "a time without a zone"),
    (_DATE, "a date without a time"),
    (f"{_DATE}[Tt ][0-9]{{2}}:[0-9]{{2}}{_ZONE}?", "a time without seconds"),
    (f"{_DATE}[Tt ]{_CLOCK}[+-][0-9]{{4}}", "a zone without a colon"),
    (f"{_DATE}[Tt ]{_CLOCK.replace('[.]', ',')},[0-9]+{_ZONE}?", "a comma before the fraction"),
    (r"\s.*|.*\s", "a string with a space around it"),
    (r'".*"', "a string with quotes inside"),
)
"""Forms in which times are often written, and what is said of each."""
_TIME = re.compile(f"{_DATE}[Tt ]{_CLOCK}([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})")


def time_problem(field: str, came: Any, reason: Reason = Reason.INVALID_DATA) -> Rejected:
    """Why `came` is no time of the contract."""
    if not isinstance(came, str):
        return A_TIME.rejected(reason, field=field, came=kind_of(came))
    if _TIME.fullmatch(came):
        return (LEAP_SECOND if came[17:19] == "60" else NO_SUCH_TIME).rejected(reason, field=field)
    known = next((said for form, said in _FORMS if re.fullmatch(form, came, re.DOTALL)), None)
    return A_TIME.rejected(reason, field=field, came=known or text_of(came))


def address_problem(field: str, came: str) -> Rejected:
    """Why `came` is no e-mail address."""
    if len(came) > LONGEST_ADDRESS:
        return AT_MOST_CHARACTERS.rejected(field=field, most=LONGEST_ADDRESS, came=len(came))
    local, _, domain = came.strip().rpartition("@")
    return AN_ADDRESS.rejected(field=field, came=_kind_of_address(came, local, domain))


def _kind_of_address(came: str, local: str, domain: str) -> str:
    if "@" not in came:
        return f"{text_of(came)}, without @" if came else text_of(came)
    if not local or not domain:
        return "one with nothing before the @" if domain else "one with nothing behind the @"
    if came.count("@") > 1:
        return f"a string with {came.count('@')} @"
    if re.search(r"\s", came.strip()):
        return "one with a space or a line break inside"
    if "." not in domain:
        return "one with a domain without a dot"
    return "one with characters, or an order of them, that no address has"
