"""An e-mail address as the tables take it."""

import re
from typing import Annotated

from email_validator import SPECIAL_USE_DOMAIN_NAMES
from pydantic import AfterValidator, WithJsonSchema
from pydantic.networks import validate_email

_STAND_IN = "com"
_RESERVED = re.compile(
    rf"(.*@.*\.)({'|'.join(map(re.escape, SPECIAL_USE_DOMAIN_NAMES))})(>?\s*)", re.IGNORECASE | re.ASCII | re.DOTALL
)


def read_address(text: str) -> str:
    """`text` as pydantic's `EmailStr` returns it. ValueError where it is no address.

    Beside what `EmailStr` takes, the domain may be one that mail never reaches, as `.test` (RFC 2606, RFC 6761): the
    addresses were accepted elsewhere, and the tables show what is there.
    """
    found = _RESERVED.fullmatch(text)
    if found is None:
        return validate_email(text)[1]
    accepted = validate_email(f"{found[1]}{_STAND_IN}{found[3]}")[1]
    return accepted.removesuffix(_STAND_IN) + found[2].lower()


Address = Annotated[str, AfterValidator(read_address), WithJsonSchema({"type": "string", "format": "email"})]
