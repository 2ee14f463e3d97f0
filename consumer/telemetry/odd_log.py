"""What is odd among the records that were read, as the log tells it: one line a minute for each topic."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable

from neon_projector.consumer.apply.oddities import MISNAMED_FIELD, UNKNOWN_TYPE, Oddity
from neon_projector.consumer.apply.rejection_log import TOLD_AT_ONCE, TOLD_EACH_SECONDS

LINES = {
    UNKNOWN_TYPE: "records of types that this service does not know are ignored",
    MISNAMED_FIELD: "events are read without fields that stand under another name",
}
log = logging.getLogger(__name__)


class OddLog:
    """The first line of a topic comes at once."""

    def __init__(self) -> None:
        self._odd: defaultdict[tuple[str, str], Counter[tuple[str, str | None, str]]] = defaultdict(Counter)
        self._since: float | None = None
        """Since when is counted; None while nothing is odd."""

    def count(self, odd: Iterable[Oddity]) -> None:
        """Count these."""
        for one in odd:
            self._odd[one.kind, one.topic][one.name, one.resembles, one.source] += one.number

    def tell(self, now: float) -> None:
        """Log what is due. Call it about once a second; `now` is in seconds of a monotonic clock."""
        if self._since is not None and now - self._since < TOLD_EACH_SECONDS:
            return
        for (kind, topic), odd in self._odd.items():
            most = odd.most_common(TOLD_AT_ONCE)
            details = {"topic": topic, "number": odd.total()}
            details["most"] = {f"{name} from {source}": number for (name, _, source), number in most}
            if meant := {name: like for (name, like, _), _ in most if like is not None}:
                details["did_you_mean"] = meant
            log.warning(LINES[kind], extra=details)
        self._since = now if self._odd else None
        self._odd.clear()
