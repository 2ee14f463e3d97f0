"""The service's errors. Each class has a `message` of its own; `detail` adds what only the moment knows.

The message is an attribute, not the docstring: `python -OO` drops docstrings.
"""


class ProjectorError(Exception):
    """The base of all. `str()` gives `message`, or `message: detail` where there is a detail."""

    message = "The service failed."
    exit_status = 70

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        super().__init__(f"{self.message.rstrip('.')}: {detail}" if detail else self.message)


class TransientError(ProjectorError):
    """The database or the broker has trouble that may pass; the caller tries again."""

    message = "The database or the broker does not answer as it should; trying again may help."
    exit_status = 3

    def __init__(self, detail: str = "", reason: str = "other") -> None:
        super().__init__(detail)
        self.reason = reason
        """The label to count it under: one of `consumer.recovery.table.TROUBLES`."""


class Locked(TransientError):
    """Somebody else's transaction holds a row or a table for longer than this one may wait."""

    message = "Another transaction holds a row or a table; trying again later may help."

    def __init__(self) -> None:
        super().__init__(reason="timeout")


class Conflict(TransientError):
    """Another transaction changed what this one had read; the caller reads the state and decides again."""

    message = "Another transaction changed what this one had read; it is decided again."


class Moved(Conflict):
    """A row or a unique value is not what this transaction had read, and Postgres reported no error for it."""

    message = "A row or a unique value is not what this transaction had read; it is decided again."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, "conflict")


class NotTaken(Moved):
    """A row is not in the table as this transaction wrote it, and Postgres reported no error: a trigger may do that."""

    message = "A row is not in the table as it was written, and there was no error; it is decided again."

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


class NeedsMode(ProjectorError):
    """The transaction must run again in another mode; nothing of it is committed."""

    message = "This transaction has to be tried in another mode."

    def __init__(self, mode: int) -> None:
        super().__init__()
        self.mode = mode
        """A `consumer.apply.mode.Mode`."""


class Fenced(ProjectorError):
    """A position was moved, or its epoch raised: by another instance, a stop of intake, or a reset.

    The instance must read position and epoch again before it goes on.
    """

    message = "Somebody else has moved a position or raised its epoch; this batch changes nothing."


class PositionsMoved(ProjectorError):
    """The stored positions differ from those this instance knows; it must read them again."""

    message = "The stored positions are not those that this instance knows; this batch changes nothing."


class FuseBlown(ProjectorError):
    """The fuse stops the intake of `topic`: `rejected` of its last `records` are rejected."""

    message = "Nearly all records of a topic are rejected; nothing of this batch is committed."

    def __init__(self, topic: str, rejected: int, records: int, why: tuple[str, str], example: str | None) -> None:
        super().__init__(topic)
        self.topic, self.rejected, self.records = topic, rejected, records
        self.reason, self.source = why
        """What most of them have in common: `consumer.apply.rejection_log.Why`."""
        self.example = example
        """One of those: its place, and what is wrong with it. None where this batch has none."""


class BadData(ProjectorError):
    """The database refuses a value of the batch; splitting the batch finds the record."""

    message = "The database refuses what the contract allows."


class TooLarge(ProjectorError):
    """The batch, with the stored state of its entities, is too large for one transaction; halves of it may fit."""

    message = "This batch is too large for one transaction, with what is stored of its entities; halves of it may fit."


class FatalError(ProjectorError):
    """Trying again cannot help; the service stops and says why."""

    message = "Trying again cannot fix this."
    exit_status = 3


class DiskFull(FatalError):
    """The database has no room for what is written."""

    message = "The database's disk is full, or its size limit is reached. Make room there."


class Refused(ProjectorError):
    """A command did nothing, because what it was asked to do is not allowed now."""

    message = "Not done."
    exit_status = 4


class Untold(ProjectorError):
    """Positions are set, and Kafka could not be told. To set them again may move them further (`--shift-by`)."""

    message = (
        "The positions are set; do not set them again. Kafka could not be told of it, so a service where no record "
        "comes in goes on at the old place: restart it."
    )
    exit_status = 1


class Paused(ProjectorError):
    """Long work was interrupted, and can go on from its last committed step. `detail` is the command for that."""

    message = "Paused; to go on."
    exit_status = 130


class Cancelled(Refused):
    """Somebody has cancelled this long work; its runner stops."""

    message = "Somebody has cancelled it; what was committed before stays."


class TakenOver(Refused):
    """Somebody else has resumed this long work; the earlier runner changes nothing any more."""

    message = "Somebody else goes on with it; this runner changes nothing any more."


class SchemaMissing(FatalError):
    """The database has no schema of this service, or not all of it."""

    message = "The database's schema is not migrated. Run: projector migrate."


class SchemaTooOld(FatalError):
    """The database has a schema of an older version of this service."""

    message = "The database's schema is older than this service's own. Run: projector migrate."


class TablesBusy(TransientError):
    """`detail` names the transactions that keep a table, so that it can't be altered."""

    message = "Nothing is changed: another transaction has been using a table for too long."


class TopicMissing(FatalError):
    """Kafka has no topic of this name."""

    message = "A topic does not exist; create it, or name the right one in its setting."


class WrongSettings(ProjectorError):
    """A setting is missing or has a wrong value."""

    message = "A setting is missing or wrong."
    exit_status = 2
