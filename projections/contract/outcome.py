"""The outcomes of a record, and the reasons for a rejection: two closed lists, both used as labels of metrics."""

from enum import StrEnum


class Outcome(StrEnum):
    """Each record gets exactly one outcome when it is first committed. `skipped` counts offsets without a record."""

    APPLIED = "applied"
    SUPERSEDED = "superseded"
    PARKED = "parked"
    REJECTED = "rejected"
    IGNORED = "ignored"


TOTALS = (*(outcome.value for outcome in Outcome), "skipped")
"""What each offset is counted as: the names of totals, in the order in which they are shown."""


class Reason(StrEnum):
    """Why a record is a dead letter."""

    TOO_LARGE = "too_large"
    SCHEMA_REGISTRY_FRAMING = "schema_registry_framing"
    UNSUPPORTED_FORMAT = "unsupported_format"
    INVALID_JSON = "invalid_json"
    INVALID_TEXT = "invalid_text"
    INVALID_ENVELOPE = "invalid_envelope"
    INVALID_DATA = "invalid_data"
    MISSING_TIME = "missing_time"
    KEY_MISMATCH = "key_mismatch"
    SUBJECT_MISMATCH = "subject_mismatch"
    WRONG_OWNER = "wrong_owner"
    DELETED = "deleted"
    ERASED = "erased"
    VERSION_CONFLICT = "version_conflict"
    UNDECODABLE = "undecodable"
    REFUSED_BY_DATABASE = "refused_by_database"


class Rejected(Exception):
    """The one exception of the core: the record is bad. `error` is a sentence for people and never quotes the input."""

    def __init__(self, reason: Reason, error: str) -> None:
        super().__init__(error)
        self.reason = reason
        self.error = error
