"""Who sends what is rejected, as far as a log may show it: reasons, and the `source` that the events name."""

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from neon_projector.projections.contract.event import Rejection

log = logging.getLogger(__name__)

SOURCE_KEPT_CHARACTERS = 100
LOOKED_AT_CHARACTERS = 4 * SOURCE_KEPT_CHARACTERS
"""What is behind these is not looked at."""
TOLD_EACH_SECONDS = 60.0
"""At most one line for each topic in this time."""
TOLD_AT_ONCE = 5
"""One line names at most so many pairs of reason and source, the most frequent ones."""

_UNSAID = re.compile(r"[^A-Za-z0-9._~:/@!$&'()*+,;=%\[\]-]")
"""Characters that no URI-reference may have before its query (RFC 3986)."""
_USER = re.compile(r"^([^/]*//)[^/@]*@")
"""User and password before a host name."""


class Why(NamedTuple):
    """A reason (`projections.contract.outcome.Reason`), and the source as `said_source` returns it."""

    reason: str
    source: str


def why(rejections: Iterable[Rejection]) -> Counter[Why]:
    """The number of rejections by reason and source."""
    return Counter(Why(r.reason.value, said_source(r.source)) for r in rejections)


def said_source(source: str | None) -> str:
    """A CloudEvents `source` for logs: without user, password, query and fragment, and cut to 100 characters.

    Characters that no URI may have become `?`. `-` stands for a source that could not be read.
    """
    if not source:
        return "-"
    plain = re.split(r"[?#]", source[:LOOKED_AT_CHARACTERS], maxsplit=1)[0]
    return _UNSAID.sub("?", _USER.sub(r"\1", plain))[:SOURCE_KEPT_CHARACTERS] or "-"


def said_name(name: str) -> str:
    """A publisher's name for a type or a field, for logs: cut to 100 characters, with `?` for what no URI may have."""
    return _UNSAID.sub("?", name[:SOURCE_KEPT_CHARACTERS])


class RejectionLog:
    """One line a minute for each topic with rejections; the first one at once."""

    def __init__(self) -> None:
        self._records: Counter[str] = Counter()
        self._rejected: defaultdict[str, Counter[Why]] = defaultdict(Counter)
        self._since: float | None = None
        """Since when is counted; None while nothing is rejected."""

    def count(self, topic: str, records: int, rejected: Counter[Why]) -> None:
        """Count so many committed `records` of `topic`, and how many of them were rejected and why."""
        self._records[topic] += records
        self._rejected[topic] += rejected

    def tell(self, now: float) -> None:
        """Log what is due. Call it about once a second; `now` is in seconds of a monotonic clock."""
        if self._since is not None and now - self._since < TOLD_EACH_SECONDS:
            return
        for topic, rejected in self._rejected.items():
            if rejected:
                most = {f"{why.reason} from {why.source}": n for why, n in rejected.most_common(TOLD_AT_ONCE)}
                details = {"topic": topic, "rejected": rejected.total(), "records": self._records[topic], "most": most}
                log.warning("records are rejected", extra=details)
        self._since = now if any(self._rejected.values()) else None
        self._records.clear()
        self._rejected.clear()
