"""Text of others (records, publishers, operators) as a terminal may show it: it must not command the terminal.

Control characters move the cursor, rename the window or answer on the user's behalf (ECMA-48, both C0 and C1); line
breaks forge lines; marks of direction (UAX #9) show text in another order than it has.
"""

import re

_COMMANDS = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""Unicode's categories Cc, Cs, Zl and Zp, and those of Cf that nobody sees; but not the joiners (U+200C, U+200D) that
words and emoji are written with."""

_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U(000[0-9a-f]{5})|([nrt]))")
"""As `printable` writes such a character."""
_STORABLE = re.compile("[^\x00\ud800-\udfff]*")
"""What the database takes as text."""


def printable(text: str) -> str:
    """`text` with each of these as an escape, as Python writes it: `\\x1b`, `\\u202e`."""
    return _COMMANDS.sub(_python, text)


def printable_json(text: str) -> str:
    """JSON that says the same, in the characters of `printable`. Only strings can have others, line breaks apart."""
    return "\n".join(_COMMANDS.sub(_json, line) for line in text.split("\n"))


def spellings(shown: str) -> list[str]:
    """What may be stored where `printable` shows this: the same, or what its escapes stand for. So text that is copied
    from a terminal finds what it was."""
    meant = _ESCAPED.sub(_character, shown)
    return list(dict.fromkeys([shown, meant])) if _STORABLE.fullmatch(meant) else [shown]


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    character = chr(int(code, 16)) if code else {"n": "\n", "r": "\r", "t": "\t"}[found[4]]
    return character if _COMMANDS.match(character) else found[0]


def _python(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]


def _json(found: re.Match[str]) -> str:
    utf_16 = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{utf_16[at : at + 4]}" for at in range(0, len(utf_16), 4))
