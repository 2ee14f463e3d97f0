"""The way back: which sentence of the table a rejection says."""

import re
from collections.abc import Iterator
from functools import cache
from string import Formatter

from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.words.table import SECTIONS, words
from neon_projector.projections.contract.words.word import Word


def sentences(error: str) -> list[str]:
    """The sentences of one rejection: one for each field that is wrong."""
    return error.split("; ")


@cache
def word_of(reason: Reason, sentence: str) -> Word | None:
    """The row of the table that it was made of; None where there is none. The one with most words of its own counts."""
    spellings = (sentence, sentence.replace("data_base64:", "the value:"))
    rows = ((pattern, word) for pattern, word in _patterns() if reason in word.reasons)
    return next((word for pattern, word in rows if any(map(pattern.fullmatch, spellings))), None)


def pattern_of(word: Word) -> re.Pattern[str]:
    """What matches this word's sentence, whatever it is filled with."""
    parts = [(re.escape(text), name) for text, name, _, _ in Formatter().parse(word.says)]
    return re.compile("".join(text + ("[^;]*" if name else "") for text, name in parts))


def words_of(reason: Reason) -> list[Word]:
    """All that can be said under this reason."""
    return [word for word in _all() if reason in word.reasons]


@cache
def _patterns() -> list[tuple[re.Pattern[str], Word]]:
    return [(pattern_of(word), word) for word in sorted(_all(), key=lambda word: -len(word.says))]


def _all() -> Iterator[Word]:
    for _, module in SECTIONS:
        yield from words(module).values()
