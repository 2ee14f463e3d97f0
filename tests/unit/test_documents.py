"""What the documents name is there: every link and anchor, every `projector` command, every option."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from neon_projector.consumer.cli.app import app
from tests.support.documents import FENCE, NAMES, ROOT, SPAN, prose, sources, spans

COMMANDS = typer.main.get_command(app)
LINK = re.compile(r"\[[^\]\[]*\]\(([^()\s]+)\)")
OTHERS_OPTIONS = {
    "--read-only", "--cap-drop", "--rm", "--tmpfs", "--env",  # docker run
    "--scale", "--profile",  # docker compose
}  # fmt: skip


def headings(document: Path) -> set[str]:
    """The anchors of a document, as GitHub makes them of its headings."""
    anchors: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", prose(document), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        repeated = (f"{anchor}-{number}" for number in range(1, 100))
        anchors.add(anchor if anchor not in anchors else next(a for a in repeated if a not in anchors))
    return anchors


def links(document: Path) -> list[str]:
    """The targets of all links that do not leave the repository."""
    found: list[str] = LINK.findall(re.sub(r"`[^`]*`", "", prose(document)))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_and_anchor_leads_somewhere(name: str) -> None:
    document = ROOT / name
    for target in links(document):
        path, _, anchor = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        assert there.exists(), f"{name}: {target}"
        assert not anchor or anchor in headings(there), f"{name}: {target}"


def invocations(text: str) -> list[str]:
    """What follows `projector` wherever a command line stands, in a fence, an indented line, or between backticks."""
    lines = [line.strip().partition(" #")[0] for line in text.splitlines()]
    whole = [re.sub(r"^.* projector (?=projector )", "", line) for line in lines]
    between = spans(FENCE.sub("", text))
    return [line.removeprefix("projector ") for line in [*whole, *between] if re.match(r"projector [a-z-]", line)]


def unknown(invocation: str) -> list[str]:
    """The words of a command line that are no command and no option; what a command takes besides is free."""
    at: list[Any] = [COMMANDS]
    wrong: list[str] = []
    for word in invocation.replace("[", "").replace("]", "").split():
        if word.startswith("-"):
            taken = [[*one.opts, *one.secondary_opts, "--help"] for command in at for one in command.params]
            options = {option for own in taken for option in own}
            wrong += [] if word.split("=")[0] in options else [word]
        elif all(isinstance(one, TyperGroup) for one in at) and word != "…":
            found = [one.commands.get(name) for one in at for name in word.split("/")]
            if None in found:
                return [*wrong, word]
            at = found
    return wrong


def options_of(command: Any) -> set[str]:
    """All options of a command and of those below it."""
    own = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    below = command.commands.values() if isinstance(command, TyperGroup) else ()
    return own.union(*(options_of(one) for one in below))


def test_nobody_says_in_old_words_what_plain_ones_say() -> None:
    """Each of these once stood in a document, a log line or a `--help` text that a tired reader had to read twice."""
    old = re.compile(r"\banew\b|\bmends\b|\bwaits in vain\b|\bit is looked\b|\bis looked whether\b")
    texts = sources() | {name: (ROOT / name).read_text() for name in NAMES}
    ours = {path: text for path, text in texts.items() if path != "tests/unit/test_documents.py"}
    assert [f"{path}: {found[0]}" for path, text in ours.items() for found in old.finditer(text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_command_line_is_one_that_the_program_takes(name: str) -> None:
    for invocation in invocations((ROOT / name).read_text()):
        assert unknown(invocation) == [], f"{name}: projector {invocation}"


@pytest.mark.parametrize("name", NAMES)
def test_every_option_named_by_itself_is_one_of_a_command(name: str) -> None:
    known = options_of(COMMANDS) | OTHERS_OPTIONS | {"--help"}
    for code, _ in SPAN.findall(prose(ROOT / name)):
        for option in re.findall(r"^--[a-z][a-z-]*[a-z]", code):
            assert option in known, f"{name}: {code}"


def test_the_design_names_every_command() -> None:
    rows = [line for line in (ROOT / "docs" / "design.md").read_text().splitlines() if line.startswith("| `")]
    first = [set(re.findall(r"[a-z][a-z-]+", row.split(" | ")[0])) for row in rows]
    assert isinstance(COMMANDS, TyperGroup)
    for name, command in COMMANDS.commands.items():
        below = command.commands if isinstance(command, TyperGroup) else {}
        assert any({name, *below} <= words for words in first), name


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("status --watch", []),
        ("dead-letters list/show", []),
        ("offsets reset --topic users:0 --to-earliest --execute", []),
        ("statuses", ["statuses"]),
        ("offsets forget", ["forget"]),
        ("verify --execute", ["--execute"]),
    ],
)
def test_a_word_that_is_none_is_found(line: str, wrong: list[str]) -> None:
    assert unknown(line) == wrong
