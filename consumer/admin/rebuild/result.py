"""What a rebuild has found and done."""

from dataclasses import asdict, dataclass, field
from typing import Any

from neon_projector.consumer.admin.rebuild.todo import Group
from neon_projector.consumer.admin.verify.report import AHEAD


@dataclass
class Result:
    """What was found and done. `chosen` of the entities that differ are to be healed; `left` differ at the end."""

    operation: int
    groups: list[Group] = field(default_factory=list)
    differing: int = 0
    chosen: int = 0
    healed: int = 0
    moved: int = 0
    """Had moved on since a snapshot, so that the next round looked at them again."""
    refused: int = 0
    lost: int = 0
    left: int = 0
    rounds: int = 0
    waited: float = 0.0
    """Seconds that the live service waited, at most, in all."""
    undo: str | None = None
    unprovable: list[str] = field(default_factory=list)
    """As `Report.unprovable`."""
    unproved: int = 0
    """Entities that the topics can't prove, and that stay as they are."""
    ahead: int = 0
    """Entities that are ahead of the positions, and stay as they are."""
    without_position: list[str] = field(default_factory=list)
    """As `Report.without_position`."""
    by_key: list[str] | None = None
    partitions: int = 0
    """Both as in `Report`."""
    finished: bool = False

    @property
    def verdict(self) -> str:
        """`differs`, `ahead`, `unprovable` or `equal`, as `verify` has it; before anything is healed, of what was
        found."""
        if self.left if self.finished else self.differing:
            return "differs"
        if self.ahead:
            return AHEAD
        return "unprovable" if self.unprovable or self.unproved else "equal"

    def as_json(self) -> dict[str, Any]:
        groups = [group._asdict() for group in self.groups]
        return {"verdict": self.verdict, **asdict(self), "groups": groups, "executed": True}
