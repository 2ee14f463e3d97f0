"""Logs for machines (JSON, a line each) or people (text), on standard error. Never a value of an event."""

import logging
import sys
from datetime import UTC, datetime

import orjson

from neon_projector.consumer.printable import printable, printable_json

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what the call added."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return printable_json(orjson.dumps(line, default=str).decode())


class TextFormatter(logging.Formatter):
    """A line for people, with what the call added behind it."""

    def format(self, record: logging.LogRecord) -> str:
        line = "\n".join(map(printable, super().format(record).split("\n")))  # a traceback has lines
        return f"{line} {printable(' '.join(f'{k}={v}' for k, v in _extra(record).items()))}".rstrip()


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


def set_up_logging(level: str, style: str) -> None:
    """Send all logs to standard error, ours from `level` on, libraries' from `warning` on."""
    handler = logging.StreamHandler(sys.stderr)
    text = TextFormatter("%(asctime)s %(levelname)-7s %(message)s")
    handler.addFilter(KAFKA_LINES)
    handler.setFormatter(JsonFormatter() if style == "json" else text)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("neon_projector").setLevel(level.upper())
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # a line for each request that is none: anybody can send these


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}
