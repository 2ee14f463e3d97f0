"""Who ran a command, as its trace keeps it."""

import os
import pwd
import socket

import pytest

from neon_projector.consumer.admin.operations.audit import actor


def test_who_has_a_number_only_is_named_by_it_as_in_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_000_000)
    with pytest.raises(KeyError):
        pwd.getpwuid(os.getuid())
    assert actor() == f"2000000000@{socket.gethostname()}"


def test_a_person_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    assert actor() == f"ada@{socket.gethostname()}"
