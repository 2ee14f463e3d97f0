"""Looks for many byte strings at once: Rust's aho-corasick, which compares them all in one step of SIMD (Teddy)."""

from collections.abc import Iterable, Iterator

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

_PIECE = 2 * 1024 * 1024
"""So many bytes at a time: a match takes 150 bytes of memory."""
_AT_ONCE = 64
"""Teddy's limit. More needles are looked for by a table, a tenth as quick."""
_NOWHERE = range(0xF5, 0x100)
"""Bytes of no text in UTF-8. With four needles more that have nothing in common, the library never looks for up to
three single bytes instead, which are everywhere: that is twenty times slower."""


class Needles:
    """Some byte strings, none empty, none longer than `_PIECE`."""

    def __init__(self, needles: Iterable[bytes]) -> None:
        own = list(needles)
        self._number, self._longest = len(own), max(map(len, own), default=0)
        used = frozenset(b"".join(own))  # what overlapped with a needle would hide it
        nowhere = [bytes([one]) * 6 for one in _NOWHERE if one not in used][:4]
        how = Implementation.DFA if len(own) + len(nowhere) > _AT_ONCE else None
        self._find = BytesAhoCorasick([*own, *nowhere], MatchKind.LeftmostFirst, how).find_matches_as_indexes

    def places(self, data: bytes) -> Iterator[tuple[int, int, int]]:
        """The number of a needle, and where it begins and ends in `data`. Where needles overlap, only the leftmost is
        found, and what it overlaps may have another one."""
        at = 0
        while self._number and at < len(data):
            piece = data if len(data) <= _PIECE else data[at : at + _PIECE + self._longest]
            for number, start, end in self._find(piece):
                if number < self._number:
                    yield number, at + start, at + end
            at += max(_PIECE, len(data) if piece is data else 0)
