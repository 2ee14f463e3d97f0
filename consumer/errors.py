"""The service's errors. An error's docstring is its message; `detail` adds what only the moment knows."""

from inspect import cleandoc


class ProjectorError(Exception):
    """The service failed."""

    exit_status = 70

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        message = cleandoc(type(self).__doc__ or "")
        super().__init__(f"{message.rstrip('.')}: {detail}" if detail else message)


class TransientError(ProjectorError):
    """The database or the broker does not answer as it should, and waiting may mend it."""

    exit_status = 3

    def __init__(self, detail: str = "", reason: str = "other") -> None:
        super().__init__(detail)
        self.reason = reason
        """What to count it under; one of `consumer.recovery.table.TROUBLES`."""


class Conflict(TransientError):
    """Another transaction changed what this one had looked at; it is decided anew."""


class Moved(Conflict):
    """A row or a unique value is not what this transaction had looked at; it is decided again."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, "conflict")


class NotTaken(Moved):
    """A row is not there as it was written, and there was no error; it is decided again."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


class NeedsMode(ProjectorError):
    """This transaction has to be tried in another mode."""

    def __init__(self, mode: int) -> None:
        super().__init__()
        self.mode = mode
        """A `consumer.apply.lock.Mode`."""


class Fenced(ProjectorError):
    """Another writer has moved a position or taken a partition over; this batch changes nothing."""


class PositionsMoved(ProjectorError):
    """The stored positions are not those that this instance knows; this batch changes nothing."""


class FuseBlown(ProjectorError):
    """Nearly all records of a topic are rejected; nothing of this batch is committed."""

    def __init__(self, topic: str, rejected: int, records: int, why: tuple[str, str]) -> None:
        super().__init__(topic)
        self.topic, self.rejected, self.records = topic, rejected, records
        self.reason, self.source = why
        """What most of them have in common: `consumer.apply.rejected.Why`."""


class BadData(ProjectorError):
    """The database refuses what the contract allows."""


class TooLarge(ProjectorError):
    """This batch is too much for one transaction, with what is stored of its entities; halves of it may not be."""


class FatalError(ProjectorError):
    """No waiting mends this."""

    exit_status = 3


class Refused(ProjectorError):
    """Not done."""

    exit_status = 4


class SchemaMissing(FatalError):
    """The database's schema is not migrated. Run: projector migrate."""


class SchemaTooOld(FatalError):
    """The database's schema is older than this service's own. Run: projector migrate."""


class TopicMissing(FatalError):
    """A topic does not exist; create it, or name the right one in its setting."""


class WrongSettings(ProjectorError):
    """A setting is missing or wrong."""

    exit_status = 2
