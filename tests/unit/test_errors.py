"""Each error has a message of its own, also without docstrings."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from neon_projector.consumer.demo import errors as demo_errors
from neon_projector.consumer.errors import FatalError, ProjectorError, SchemaMissing


def all_of(kind: type[ProjectorError]) -> Iterator[type[ProjectorError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from all_of(child)


def test_the_demos_errors_are_among_them() -> None:
    assert {demo_errors.DemoUnavailable, demo_errors.DemoFailed} <= set(all_of(ProjectorError))


@pytest.mark.parametrize("kind", all_of(ProjectorError), ids=lambda kind: kind.__name__)
def test_each_error_has_a_message_of_its_own(kind: type[ProjectorError]) -> None:
    assert kind.__dict__.get("message", "").endswith(".")


def test_a_detail_stands_behind_the_message() -> None:
    assert str(SchemaMissing()) == "The database's schema is not migrated. Run: projector migrate."
    assert str(SchemaMissing("users")) == "The database's schema is not migrated. Run: projector migrate: users"


def test_python_without_docstrings_gives_the_same_messages() -> None:
    program = (
        "from neon_projector.consumer.errors import FatalError, ProjectorError\n"
        "print(ProjectorError.__doc__, FatalError(), FatalError('why'), sep='|')"
    )
    told = subprocess.run([sys.executable, "-OO", "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == f"None|{FatalError()}|{FatalError('why')}" != "None||: why"
