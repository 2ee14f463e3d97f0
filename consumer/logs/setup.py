"""Sends all logs to standard error. Never a value of an event."""

import logging
import sys

from neon_projector.consumer.logs.client_lines import ClientLines
from neon_projector.consumer.logs.formatters import JsonFormatter, TextFormatter
from neon_projector.consumer.logs.repeats import KAFKA_LINES
from neon_projector.consumer.logs.trace_lines import TraceLines


def set_up_logging(level: str, style: str) -> None:
    """Send all logs to standard error, ours from `level` on, libraries' from `warning` on; of the Kafka client's lines
    those that it takes for errors, in our own words; of what sends traces one in ten minutes."""
    handler = logging.StreamHandler(sys.stderr)
    text = TextFormatter("%(asctime)s %(levelname)-7s %(message)s")
    handler.addFilter(KAFKA_LINES)
    handler.addFilter(ClientLines())
    handler.addFilter(TraceLines())
    handler.setFormatter(JsonFormatter() if style == "json" else text)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("neon_projector").setLevel(level.upper())
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # a line for each request that is none: anybody can send these


def silence_libraries() -> None:
    """For commands: what the Kafka client logs, the command says itself, in one line, where it ends because of it."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
