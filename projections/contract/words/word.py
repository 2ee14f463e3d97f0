"""One sentence about a bad record."""

from dataclasses import dataclass
from string import Formatter

from neon_projector.projections.contract.outcome import Reason, Rejected


@dataclass(frozen=True)
class Word:
    """What is wrong, in one sentence: what was expected, and what kind of thing came. Never the thing itself.

    `says` is a format string. What it is filled with are names of the contract, numbers, lengths and kinds.
    """

    reasons: tuple[Reason, ...]
    """The reasons under which it is said; the first is the usual one."""
    says: str
    cause: str
    """Why publishers do that."""
    mend: str
    """What the publisher does about it."""

    @property
    def shape(self) -> str:
        """The sentence for people, not filled: `‹field›: required, absent`."""
        return "".join(text + (f"‹{name}›" if name else "") for text, name, _, _ in Formatter().parse(self.says))

    def rejected(self, reason: Reason | None = None, **said: object) -> Rejected:
        """The rejection that says this, for the usual reason or for `reason`."""
        return Rejected(reason or self.reasons[0], self.says.format(**said))
