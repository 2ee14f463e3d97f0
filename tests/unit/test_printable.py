"""Nothing that others wrote commands the terminal that shows it."""

import json
import logging
import unicodedata
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from neon_projector.consumer.cli.output import json_of, print_table, print_text
from neon_projector.consumer.logs.formatters import JsonFormatter, TextFormatter
from neon_projector.consumer.logs.printable import printable, printable_json, spellings

BAD = {
    "clear the screen": "\x1b[2J",
    "rename the window": "\x1b]0;owned\x07",
    "CSI in one character": "\x9b31m",
    "back over what stands there": "harmless\x08\x08\rforged",
    "a forged line": "good\n       reason  none",
    "other line ends": "a\x85b\u2028c\u2029d\x0be\x0cf",
    "the other way round": "\u202egnp.exe\u2066x\u2069",
    "not to be seen": "pay\u200bload\u2060\ufeff\xad\U000e0041",
    "half a character": "\ud800\udce9",
    "delete": "\x7f",
}
KEPT = "Grüße, 中文, עברית, عربى, 👩\u200d👩\u200d👧, می\u200cخواهم [bold]x[/] [/nothing] \\x1b é"


DIRECTION = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize("text", [one for name, one in BAD.items() if name != "half a character"])
def test_text_that_is_copied_from_a_terminal_finds_what_it_was(text: str) -> None:
    assert spellings(printable(text)) == [printable(text), text]


@pytest.mark.parametrize("shown", ["plain /shop", "C:\\new\\x41", "\\ud800", "\\x00", "\\U0010ffff", "\\x1"])
def test_what_is_no_escape_of_ours_is_what_it_is(shown: str) -> None:
    assert spellings(shown)[0] == shown
    assert all("\x00" not in one and one.encode() for one in spellings(shown))


def commands(text: str) -> list[str]:
    """What a terminal would not show as a character of its own; ends of lines apart."""
    return [
        c
        for c in text
        if (unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c != "\n")
        or unicodedata.bidirectional(c) in DIRECTION
        or c in "\u061c\u200b\u200e\u200f\u2060\ufeff\xad"
    ]


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_would_command_is_spelled_out(text: str) -> None:
    shown = printable(text)
    assert not commands(shown)
    assert "\n" not in shown
    assert shown.encode().decode("unicode_escape", "surrogatepass") == text


def test_what_people_write_stays() -> None:
    assert printable(KEPT) == KEPT


@given(text=st.text(st.characters()))
def test_json_says_the_same(text: str) -> None:
    shown = printable_json(json.dumps({"a": text}, ensure_ascii=False))
    assert not commands(shown)
    assert json.loads(shown) == {"a": text}
    if not any("\ud800" <= c <= "\udfff" for c in text):
        assert json.loads(json_of([text])) == [text]
        assert not commands(json_of([text]))


@pytest.mark.parametrize("text", [*BAD.values(), KEPT], ids=[*BAD, "kept"])
def test_every_way_to_print_spells_it_out(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = StringIO()
    rows: list[dict[str, Any]] = [{"title": text, "names": [text, text]}]
    print_table(rows, on=Console(file=file, width=500, force_terminal=True, color_system=None))
    print_text(f"conclusion: {text}")
    shown, said = file.getvalue(), capsys.readouterr().out
    for bold in ("\x1b[1m", "\x1b[0m"):
        shown = shown.replace(bold, "")  # the head of a table
    assert not commands(shown + said)
    assert printable(text) in shown
    assert said == f"conclusion: {printable(text)}\n"


@pytest.mark.parametrize("style", [JsonFormatter(), TextFormatter("%(message)s")], ids=["json", "text"])
def test_logs_too(style: logging.Formatter) -> None:
    text = "".join(value for value in BAD.values() if "\ud800" not in value)
    record = logging.LogRecord("consumer", logging.INFO, "", 0, "said: %s", (text.replace("\n", ""),), None)
    record.actor = text
    assert not commands(style.format(record))
    assert "\n" not in style.format(record)
