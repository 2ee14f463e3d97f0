"""Who sends what is rejected, in words that a log may have: reasons, and the `source` that its events name."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from projections.event import Rejection

SOURCE_KEPT_CHARACTERS = 100

_UNSAID = re.compile(r"[^A-Za-z0-9._~:/@!$&'()*+,;=%\[\]-]")
"""What no URI-reference has in front of its query (RFC 3986)."""
_USER = re.compile(r"^([^/]*//)[^/@]*@")
"""A user and a password in front of a host."""


class Why(NamedTuple):
    """A reason (`projections.outcome.Reason`), and the source as `said_source` has it."""

    reason: str
    source: str


def why(rejections: Iterable[Rejection]) -> Counter[Why]:
    """How many of these there are of each reason and source."""
    return Counter(Why(r.reason.value, said_source(r.source)) for r in rejections)


def said_source(source: str | None) -> str:
    """A CloudEvents `source` for logs: who publishes, and nothing that a URI may have beside.

    Without user, query and fragment, at most 100 characters, others than a URI's as `?`; `-` where none could be read.
    """
    if not source:
        return "-"
    plain = re.split(r"[?#]", source[: 4 * SOURCE_KEPT_CHARACTERS], maxsplit=1)[0]
    return _UNSAID.sub("?", _USER.sub(r"\1", plain))[:SOURCE_KEPT_CHARACTERS] or "-"
