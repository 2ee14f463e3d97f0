"""What follows which error: one closed table, by SQLSTATE and, for Neon's proxy, by message."""

import pytest

from neon_projector.consumer.errors import (
    BadData,
    Conflict,
    DiskFull,
    FatalError,
    ProjectorError,
    SchemaMissing,
    TransientError,
)
from neon_projector.consumer.recovery.table import BY_EXCEPTION, BY_SQLSTATE, BY_WORDS, TROUBLES
from neon_projector.consumer.recovery.translate import from_sqlstate

TABLE: list[tuple[str, str, type[ProjectorError], str]] = [
    ("57P01", "terminating connection due to administrator command", TransientError, "starting"),
    ("57P03", "the database system is starting up", TransientError, "starting"),
    ("57014", "canceling statement due to statement timeout", TransientError, "timeout"),
    ("08006", "connection failure", TransientError, "connection"),
    ("53300", "too many clients already", TransientError, "limit"),
    ("53100", "could not extend file", DiskFull, ""),
    ("55P03", "lock not available", TransientError, "timeout"),
    ("25P03", "idle-in-transaction timeout", TransientError, "timeout"),
    ("25006", "read-only transaction", TransientError, "starting"),
    ("40P01", "deadlock detected", Conflict, "conflict"),
    ("40001", "could not serialize access", Conflict, "conflict"),
    ("23505", "duplicate key value", Conflict, "conflict"),
    ("23503", "foreign key violation", Conflict, "conflict"),
    ("23514", "check constraint", BadData, ""),
    ("22001", "value too long", BadData, ""),
    ("54000", "program limit exceeded", BadData, ""),
    ("28P01", "password authentication failed", FatalError, ""),
    ("3D000", "database does not exist", FatalError, ""),
    ("42P01", "relation does not exist", SchemaMissing, ""),
    ("42501", "permission denied", FatalError, ""),
    ("XX000", "Couldn't connect to compute node", TransientError, "neon"),
    ("XX000", "Control plane request failed", TransientError, "neon"),
    ("XX000", "Too many connections to this endpoint", TransientError, "neon"),
    ("XX000", "Failed to acquire permit to connect to the database", TransientError, "neon"),
    ("XX000", "The endpoint has been disabled. Enable it using the API and retry.", FatalError, ""),
    ("XX000", "The requested endpoint could not be found", FatalError, ""),
    ("XX000", "Your account or project has exceeded the compute time quota", FatalError, ""),
]


@pytest.mark.parametrize(("state", "message", "kind", "reason"), TABLE, ids=lambda value: str(value)[:40])
def test_promise_5_4_each_error_has_its_action(
    state: str, message: str, kind: type[ProjectorError], reason: str
) -> None:
    found = from_sqlstate(state, message)
    assert type(found) is kind
    if isinstance(found, TransientError):
        assert found.reason == reason
        assert reason in TROUBLES


@pytest.mark.parametrize("state", ["XX000", "0A000", "42601", None])
def test_what_is_of_no_known_kind_is_nothing_we_know(state: str | None) -> None:
    assert from_sqlstate(state, "something else") is None


def test_every_row_can_be_met_and_a_trouble_is_counted_under_a_name_that_is_listed() -> None:
    rows = (*BY_WORDS, *BY_SQLSTATE, *(row for _, row in BY_EXCEPTION))
    for row in rows:
        assert all(words == words.lower() for words in row.words), row
        assert (row.reason in TROUBLES) == issubclass(row.kind, TransientError), row
    for row in BY_WORDS:
        assert all(from_sqlstate(row.states[0], words) is not None for words in row.words), row
    states = [state for row in BY_SQLSTATE for state in row.states]
    assert len(states) == len(set(states))
    assert {len(state) for state in states} <= {2, 3, 5}, "no other length is looked up"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("08003", "the connection was lost, or the pooler has lost the server (SQLSTATE 08003)"),
        ("57P01", "the server starts, stops or fails over, or ended the connection (SQLSTATE 57P01)"),
        ("25006", "NEON_DATABASE_URL must name the primary (SQLSTATE 25006)"),
        ("53300", "too many connections, too little memory (SQLSTATE 53300)"),
        ("53400", "is too low (temp_file_limit) (SQLSTATE 53400)"),
    ],
)
def test_what_is_waited_out_is_told_in_words_and_by_its_sqlstate(state: str, said: str) -> None:
    error = from_sqlstate(state, "")
    assert isinstance(error, TransientError)
    assert error.detail.endswith(said)


@pytest.mark.parametrize(
    ("message", "which"),
    [
        ("<class 'E'>: permission denied for table users", " (permission denied for table users)"),
        ("permission denied for schema projector\nHINT: none", " (permission denied for schema projector)"),
        ("permission denied for ada@example.com", ""),
        ("permission denied for table of Ada Lovelace", ""),
        ("Zugriff verweigert für Tabelle users", ""),
    ],
)
def test_a_right_that_is_missing_is_named_and_nothing_else_of_the_text(message: str, which: str) -> None:
    error = from_sqlstate("42501", message)
    assert isinstance(error, FatalError)
    assert error.detail == f"the database user may not do this: use the service's own, or grant it the right{which}"
