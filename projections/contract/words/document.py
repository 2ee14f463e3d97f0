"""Writes the table of sentences into `docs/publishing.md`, between two marks: `make docs`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from neon_projector.projections.contract.words.table import SECTIONS, words
from neon_projector.projections.contract.words.word import Word

BEGIN, END = "<!-- made by `make docs`: begin -->\n", "<!-- made by `make docs`: end -->\n"

HEAD = "| what is said | reason | how it comes about | what to do |\n|---|---|---|---|\n"


def document(text: str) -> str:
    """The document with the table of today's code."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "".join(_sections()) + "\n" + END + after


def _sections() -> Iterator[str]:
    for title, module in SECTIONS:
        yield f"\n### {title}\n\n{HEAD}"
        yield from map(_row, words(module).values())


def _row(word: Word) -> str:
    reasons = ", ".join(f"`{reason}`" for reason in word.reasons)
    return f"| {word.shape} | {reasons} | {word.cause} | {word.mend} |\n"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(document(path.read_text()))
