"""Puts events on disk, divided by entity, so that all events of one entity are together in a part that fits in memory.

It is one file that grows block by block. A block begins with the length of each bucket's part in it, and then has the
parts: arrays of packed events (`projections.state.packed`). Beside it, `manifest` says how far the topics are read with
what is in the file for certain; so a reader that was killed goes on there.
"""

import fcntl
import os
import time
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from neon_projector.consumer.admin.verify.directory import on_disk

EVENTS, MANIFEST = "events", "manifest"
BUCKET_RECORDS = 15_000
"""About so many records are folded at a time; a record takes 0.5 kB of memory then."""
MOST_BUCKETS = 4_096
BUFFER_BYTES = 16 * 1024 * 1024
"""What is collected in memory before a block is written."""
TAKE_SECONDS, TAKE_AGAIN_SECONDS = 3.0, 0.05
"""So long is an earlier runner waited for, and so often is it looked."""
_ARRAY = b"\xdd"
"""MessagePack's array of up to 2^32 - 1 objects; four bytes with their number follow."""


class InUse(Exception):
    """Another process writes there, or would if it were not stopped (Ctrl-Z, a machine asleep)."""


class Manifest(msgspec.Struct):
    """How far it is: `read` are the next offsets by `topic:partition`."""

    token: str
    buckets: int
    length: int = 0
    records: int = 0
    events: int = 0
    read: dict[str, int] = {}
    unreadable: list[str] = []


class _Block(NamedTuple):
    start: int
    """Where its parts begin in the file."""
    ends: "array[int]"
    """Where each bucket's part ends, from there."""


class Spill:
    """The events of one operation, in `directory`. `token` tells it from what another operation may have left there.

    InUse where another runner has it open: one that was stopped and wakes up goes on writing until it hears that it was
    taken over from.
    """

    def __init__(self, directory: Path, token: str, records: int, encoder: msgspec.msgpack.Encoder) -> None:
        self._path = directory
        with on_disk():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(directory / EVENTS, os.O_RDWR | os.O_CREAT, 0o600)
            _take(self._file)
            self.manifest = _read_manifest(directory, token) or Manifest(token, _buckets_for(records))
            os.ftruncate(self._file, self.manifest.length)
        self._length = self.manifest.length
        self._blocks = list(self._find_blocks())
        self._encode = encoder.encode_into
        self._buffers = [bytearray() for _ in range(self.manifest.buckets)]
        self._counts = [0] * self.manifest.buckets

    @property
    def buckets(self) -> int:
        return self.manifest.buckets

    @property
    def length(self) -> int:
        """Bytes on disk."""
        return self._length

    def add(self, packed: Sequence[tuple[Any, ...]]) -> None:
        """Take events that are packed as tuples: entity, id, and the rest."""
        encode, buffers, counts, mask = self._encode, self._buffers, self._counts, self.buckets - 1
        for one in packed:
            bucket = crc32(one[1]) & mask
            encode(one, buffers[bucket], -1)
            counts[bucket] += 1
        self.manifest.events += len(packed)
        if sum(map(len, buffers)) >= BUFFER_BYTES:
            self.flush()

    def read_again(self) -> None:
        """The topics are read from their beginning once more, for what was left out; what is here stays."""
        self.manifest.read, self.manifest.records = {}, 0

    def flush(self) -> None:
        """Write what is collected as one block."""
        if not any(self._counts):
            return
        parts = [
            _ARRAY + n.to_bytes(4, "big") + b if n else b"" for n, b in zip(self._counts, self._buffers, strict=True)
        ]
        lengths = array("I", map(len, parts))
        data = b"".join([lengths.tobytes(), *parts])
        written = 0
        with on_disk():
            while written < len(data):
                written += os.pwrite(self._file, data[written:], self._length + written)
        self._blocks.append(_block(self._length, lengths))
        self._length += len(data)
        self._counts = [0] * self.buckets
        self._buffers = [bytearray() for _ in range(self.buckets)]

    def save(self, read: dict[str, int], records: int, unreadable: list[str]) -> None:
        """From now on this much is there, whatever happens."""
        self.flush()
        manifest, new = self.manifest, self._path / f"{MANIFEST}.new"
        manifest.read, manifest.records, manifest.unreadable = dict(read), records, list(unreadable)
        manifest.length = self._length
        with on_disk():
            os.fdatasync(self._file)
            with new.open("wb") as file:
                file.write(msgspec.json.encode(manifest))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path / MANIFEST)

    def parts(self, bucket: int) -> Iterator[bytes]:
        """A bucket's parts: arrays of packed events."""
        for start, ends in self._blocks:
            at = ends[bucket - 1] if bucket else 0
            if ends[bucket] > at:
                yield os.pread(self._file, ends[bucket] - at, start + at)

    def close(self) -> None:
        os.close(self._file)

    def _find_blocks(self) -> Iterator[_Block]:
        at, head = 0, self.manifest.buckets * array("I").itemsize
        while at < self._length:
            lengths = array("I", os.pread(self._file, head, at))
            yield _block(at, lengths)
            at += head + sum(lengths)


def _take(file: int) -> None:
    """Lock it for as long as it is open (flock(2)); a runner that was taken over from ends within two seconds."""
    until = time.monotonic() + TAKE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(file)
                raise InUse from None
            time.sleep(TAKE_AGAIN_SECONDS)
        else:
            return


def _block(at: int, lengths: "array[int]") -> _Block:
    return _Block(at + len(lengths) * lengths.itemsize, array("I", accumulate(lengths)))


def _buckets_for(records: int) -> int:
    wanted = 1
    while wanted * BUCKET_RECORDS < records and wanted < MOST_BUCKETS:
        wanted *= 2
    return wanted


def _read_manifest(directory: Path, token: str) -> Manifest | None:
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
        there = (directory / EVENTS).stat().st_size
    except (OSError, msgspec.MsgspecError):
        return None
    return manifest if manifest.token == token and there >= manifest.length else None
