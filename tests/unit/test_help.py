"""Every command's `--help` ends with examples, each of them is a call that the parser takes, and fits 80 columns."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from neon_projector.consumer.cli.app import app

COMMANDS = typer.main.get_command(app)


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A command and all below it, each with its words."""
    yield path, command
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from walk(below, (*path, name))


EVERY = dict(walk(COMMANDS))


def examples_of(command: Any) -> list[str]:
    """Each example, as a person types it."""
    return [line for line in (command.epilog or "").splitlines() if line.startswith("projector ")]


def parsed(words: list[str]) -> tuple[str, ...]:
    """The words of the command that takes these; an error of usage is raised."""
    context, path = COMMANDS.make_context("projector", list(words)), []
    while isinstance(context.command, TyperGroup) and (rest := [*context._protected_args, *context.args]):
        name, below, rest = context.command.resolve_command(context, rest)
        assert name is not None
        assert below is not None
        path.append(name)
        context = below.make_context(name, rest, parent=context)
    return tuple(path)


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_help_ends_with_examples_that_the_parser_takes(path: tuple[str, ...]) -> None:
    examples = examples_of(EVERY[path])
    assert examples, f"projector {' '.join(path)} --help has no example"
    for words in (shlex.split(line)[1:] for line in examples):
        if words == ["--install-completion"]:
            continue  # it would install; test_completion does that
        assert parsed(words)[: len(path)] == path, words


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_help_is_plain_text_of_80_columns_with_each_option_explained(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80", "TERM": "dumb"})
    assert shown.exit_code == 0
    assert max(map(len, shown.output.splitlines())) <= 80
    assert all(f" {line} " in shown.output for line in examples_of(EVERY[path]))
    unexplained = [p.opts for p in EVERY[path].params if p.param_type_name == "option" and not getattr(p, "help", None)]
    assert unexplained == []


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_number_is_one_that_the_database_takes(path: tuple[str, ...]) -> None:
    """Without a bound 2**63 is "a value that the database refuses", and infinity is text in an operation's filter."""
    for parameter in EVERY[path].params:
        kind = parameter.type_descriptor.annotation
        if kind in (int, float):
            least, most = (-(2**63), 2**63 - 1) if kind is int else (0, 10**9)
            assert parameter.max is not None, parameter.name
            assert least <= (0 if parameter.min is None else parameter.min) < parameter.max <= most, parameter.name
