"""Says in our own words what the Kafka client's lines mean, at the level that they have for this service.

The client logs what passes by itself, as a coordinator that is not there yet at the first start, at the level `error`.
"""

import logging

WAITS = "the Kafka client tries again"
MEANINGS = (
    ("Group Coordinator Request failed", logging.INFO, "Kafka has no coordinator for this group yet"),
    ("Heartbeat session expired", logging.WARNING, "the group's coordinator has not answered for a whole session"),
    ("Heartbeat send request failed", logging.WARNING, "the group's coordinator does not answer"),
    ("LeaveGroup request failed", logging.INFO, "the coordinator did not hear that this member leaves the group"),
    ("OffsetCommit failed", logging.INFO, "a hint for lag tools could not be committed"),
    ("Unable connect to ", logging.WARNING, "a broker can't be reached"),
    ("Unable to request metadata ", logging.WARNING, "no broker tells where the partitions are"),
    ("Unable to update metadata ", logging.WARNING, "no broker tells where the partitions are"),
    ("Failed fetch messages ", logging.WARNING, "a broker brings no records"),
    ("Failed fetch offsets ", logging.WARNING, "a broker does not say which offsets there are"),
    ("Error sending %s to node ", logging.WARNING, "a broker does not answer"),
    ("Topic %s not found", logging.WARNING, "a topic does not exist"),
)
"""How a line of the client begins, its level here, and what it means."""


class ClientLines(logging.Filter):
    """Puts the meaning in place of the client's text, which follows as `client`. A line that is not in MEANINGS keeps
    its text, as a warning; one with a traceback stays an error: the client itself has failed."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] != "aiokafka" or record.exc_info:
            return True
        level, meaning = _meaning(str(record.msg))
        if meaning is not None:
            record.client, record.msg, record.args = record.getMessage(), f"{meaning}; {WAITS}", None
        record.levelno, record.levelname = level, logging.getLevelName(level)
        return level >= logging.getLogger("neon_projector").getEffectiveLevel()


def _meaning(text: str) -> tuple[int, str | None]:
    return next(
        ((level, meaning) for begins, level, meaning in MEANINGS if text.startswith(begins)), (logging.WARNING, None)
    )
