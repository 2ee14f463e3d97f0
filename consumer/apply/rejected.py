"""Who sends what is rejected, in words that a log may have: reasons, and the `source` that its events name."""

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from neon_projector.projections.contract.event import Rejection

log = logging.getLogger(__name__)

SOURCE_KEPT_CHARACTERS = 100
TOLD_EACH_SECONDS = 60.0
"""Of each topic at most one line in so long."""
TOLD_AT_ONCE = 5
"""So many pairs of reason and source are named in one line, the most frequent ones."""

_UNSAID = re.compile(r"[^A-Za-z0-9._~:/@!$&'()*+,;=%\[\]-]")
"""What no URI-reference has in front of its query (RFC 3986)."""
_USER = re.compile(r"^([^/]*//)[^/@]*@")
"""A user and a password in front of a host."""


class Why(NamedTuple):
    """A reason (`projections.contract.outcome.Reason`), and the source as `said_source` has it."""

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


class RejectionLog:
    """One line a minute for each topic with rejections; the first one at once."""

    def __init__(self) -> None:
        self._records: Counter[str] = Counter()
        self._rejected: defaultdict[str, Counter[Why]] = defaultdict(Counter)
        self._since: float | None = None
        """When the numbers began; None: with the last look."""

    def count(self, topic: str, records: int, rejected: Counter[Why]) -> None:
        """Of so many committed records of `topic` these were rejected."""
        self._records[topic] += records
        self._rejected[topic] += rejected

    def tell(self, now: float) -> None:
        """Called again and again, with the seconds of a monotonic clock."""
        if self._since is not None and now - self._since < TOLD_EACH_SECONDS:
            return
        for topic, rejected in self._rejected.items():
            if rejected:
                most = {f"{why.reason} from {why.source}": n for why, n in rejected.most_common(TOLD_AT_ONCE)}
                told = {"topic": topic, "rejected": rejected.total(), "records": self._records[topic], "most": most}
                log.warning("records are rejected", extra=told)
        self._since = now if any(self._rejected.values()) else None
        self._records.clear()
        self._rejected.clear()
