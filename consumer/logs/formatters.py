"""Lines for machines (JSON) or people (text)."""

import logging
from datetime import UTC, datetime

import orjson

from neon_projector.consumer.logs.printable import printable, printable_json

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


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}
