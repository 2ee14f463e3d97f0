"""Lines of the Kafka client that repeat themselves: each kind is shown once, and again from time to time."""

import logging

AWAY = (
    "Unable connect to ",
    "Unable to request metadata ",
    "Unable to update metadata ",
    "Failed fetch messages ",
    "Failed fetch offsets ",
    "Error sending %s to node ",
    "Heartbeat send request failed",
    "Heartbeat session expired",
    "Group Coordinator Request failed",
    "OffsetCommit failed",
    "LeaveGroup request failed",
)
"""How lines of the Kafka client begin that all mean one thing: a broker is away."""
REPEAT_SECONDS = 600.0
"""After so long a line that repeats itself is shown once more, with how often it came."""


class Repeats(logging.Filter):
    """Lets each kind of line of the Kafka client through once: in an outage it writes 70 a second.

    Lines that differ in their values only are one kind, and so are those in AWAY.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}
        """When a kind was let through, and how often it came since."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] != "aiokafka":
            return True
        text = str(record.msg)
        kind = ("", "away") if text.startswith(AWAY) else (record.name, text)
        at, times = self._seen.get(kind, (0.0, 0))
        if times and record.created - at < REPEAT_SECONDS:
            self._seen[kind] = at, times + 1
            return False
        if times > 1:
            record.repeated = times - 1
        self._seen[kind] = record.created, 1
        return True

    def forget(self) -> None:
        """The state has changed: what comes now is news."""
        self._seen.clear()


KAFKA_LINES = Repeats()
