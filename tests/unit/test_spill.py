"""What is on disk while `verify` reads: all of it after a save, and nothing twice after a crash."""

import resource
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from asyncpg.pgproto import pgproto

from neon_projector.consumer.admin.verify import directory
from neon_projector.consumer.admin.verify import spill as module
from neon_projector.consumer.admin.verify.spill import EVENTS, MANIFEST, InUse, Spill
from neon_projector.consumer.errors import FatalError
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.state.packed import ENCODER, Packing
from tests.support.factories import a_document_event, a_record, a_user_event

RECORDS = 100_000
"""For seven buckets or more."""
PACKING = Packing(REGISTRY, [("users", 0), ("documents", 0)], pgproto.UUID)


def some(number: int) -> list[tuple[Any, ...]]:
    events = [make() for _ in range(number) for make in (a_user_event, a_document_event)]
    decoded = Decoder(REGISTRY, new_id=pgproto.UUID).all(a_record(event) for event in events)
    return [PACKING.pack(event) for event in decoded if isinstance(event, Event)]


def opened(path: Path, token: str = "token") -> Spill:
    return Spill(path, token, RECORDS, ENCODER)


def read_of(spill: Spill) -> dict[str, int]:
    spill.close()
    return spill.manifest.read


def ids(spill: Spill) -> list[bytes]:
    buckets = [[one.id for part in spill.parts(n) for one in PACKING.decode_many(part)] for n in range(spill.buckets)]
    assert sum(bool(bucket) for bucket in buckets) > 1
    return sorted(one for bucket in buckets for one in bucket)


def test_what_was_saved_is_there_after_a_crash_and_nothing_of_what_came_after(tmp_path: Path) -> None:
    first, second, third = some(50), some(50), some(50)
    spill = opened(tmp_path)
    spill.add(first)
    spill.flush()
    spill.add(second)
    spill.save({"users:0": 7}, 200, ["users:1: gone"])
    spill.add(third)
    spill.flush()
    spill.close()  # it is killed
    again = opened(tmp_path)
    assert (again.manifest.read, again.manifest.records) == ({"users:0": 7}, 200)
    assert again.manifest.unreadable == ["users:1: gone"]
    assert ids(again) == sorted(one[1] for one in first + second)
    again.add(third)
    again.save({}, 300, [])
    again.close()
    assert ids(opened(tmp_path)) == sorted(one[1] for one in first + second + third)


def test_what_another_operation_left_or_somebody_cut_does_not_count(tmp_path: Path) -> None:
    spill = opened(tmp_path)
    spill.add(some(50))
    spill.save({"users:0": 7}, 100, [])
    spill.close()
    assert read_of(opened(tmp_path / "elsewhere")) == {}
    length = (tmp_path / EVENTS).stat().st_size
    (tmp_path / EVENTS).write_bytes((tmp_path / EVENTS).read_bytes()[: length - 1])
    assert read_of(opened(tmp_path)) == {}
    spill = opened(tmp_path)
    spill.save({"users:0": 7}, 100, [])
    spill.close()
    assert read_of(opened(tmp_path, token="another")) == {}
    (tmp_path / MANIFEST).write_text("no manifest")
    assert read_of(opened(tmp_path)) == {}


def test_two_do_not_write_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner that was stopped, and was taken over from, wakes up and goes on for a moment."""
    monkeypatch.setattr(module, "TAKE_SECONDS", 0.1)
    first = opened(tmp_path)
    with pytest.raises(InUse):
        opened(tmp_path)
    first.close()
    opened(tmp_path).close()


def test_a_disk_that_is_full_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    spill = opened(tmp_path)
    spill.add(some(5))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(FatalError, match=r"File too large.*TMPDIR"):
            spill.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_without_a_directory_for_temporary_files_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    with pytest.raises(FatalError, match=r"No such file or directory.*TMPDIR"):
        directory.make(7)


def test_only_what_can_be_an_operations_own_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own, others = Path(directory.make(7)), Path(directory.make(77))
    for path in (str(others), str(tmp_path), "", None, f"{tmp_path}/elsewhere/{own.name}"):
        directory.remove(7, path)
    assert {path.name for path in tmp_path.iterdir()} == {own.name, others.name}
    directory.remove(7, str(own))
    assert [path.name for path in tmp_path.iterdir()] == [others.name]
