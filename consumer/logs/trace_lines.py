"""Lines of OpenTelemetry and of the HTTP client below it: in our own words, one in ten minutes.

Their own text may quote what a receiver answers, or the URL with a key in it. So nothing of it is kept.
"""

import logging

LIBRARIES = ("opentelemetry", "urllib3", "requests")
EVERY_SECONDS = 600.0
"""A receiver that is away would be told of at each try."""


class TraceLines(logging.Filter):
    """Lets one line through in so long, with our words in place of the library's."""

    def __init__(self) -> None:
        super().__init__()
        self._next, self._times = 0.0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in LIBRARIES:
            return True
        if record.created < self._next:
            self._times += 1
            return False
        status = [value for value in record.args if type(value) is int] if isinstance(record.args, tuple) else []
        record.msg, record.args, record.exc_info, record.exc_text = (
            "traces are not delivered, or not all",
            None,
            None,
            None,
        )
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        if status:
            record.status = status[0]
        if self._times:
            record.repeated = self._times
        self._next, self._times = record.created + EVERY_SECONDS, 0
        return True
