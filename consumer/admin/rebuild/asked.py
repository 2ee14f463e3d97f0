"""What an operator wants of a rebuild."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from neon_projector.consumer.admin.rebuild.todo import Choice
from neon_projector.consumer.admin.rebuild.undo_file import ensure_writable
from neon_projector.consumer.admin.verify.wanted import Wanted


@dataclass(frozen=True)
class Asked:
    """What is looked at, what of it is healed, and where what was there before goes to: a file, or the directory for
    one with the operation's number in its name."""

    wanted: Wanted
    choice: Choice
    undo: Path
    from_verify: int | None = None

    def as_filter(self) -> dict[str, Any]:
        own = {**self.choice._asdict(), "undo": str(self.undo), "from_verify": self.from_verify}
        return self.wanted.as_filter() | own

    @classmethod
    def of_filter(cls, filter_: Mapping[str, Any]) -> "Asked":
        choice = Choice(filter_["missing_only"], filter_["unprovable"])
        return cls(Wanted.of_filter(filter_), choice, Path(filter_["undo"]), filter_["from_verify"])

    def ensure_undo(self) -> None:
        """Refused where the undo file can't be made."""
        ensure_writable(self.undo_of(0) if self.undo.is_dir() else self.undo)

    def undo_of(self, operation_id: int) -> Path:
        """A new file, also where a rebuild of another database has had the same number."""
        if not self.undo.is_dir():
            return self.undo
        names = (f"rebuild-{operation_id}{more}.undo.jsonl" for more in chain([""], map("-{}".format, count(2))))
        return next(path for path in map(self.undo.joinpath, names) if not path.exists())
