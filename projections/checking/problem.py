"""What a check finds at a line."""

from dataclasses import dataclass

from neon_projector.projections.contract.event import Rejection
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.words.find import sentences, word_of


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or may be. Nothing of the event itself is in it: it may be shown and logged."""

    line: int
    reason: str
    """Of a rejection its reason; of a warning its name: `gap`, `unknown_owner`, ..."""
    said: str
    """What was expected, and what kind of thing came."""
    mend: str
    """What the publisher does about it."""
    other_line: int | None = None
    """The line that it clashes with."""
    warning: bool = False
    """The service takes the event; what comes of it may not be what the publisher wants."""


def problems_of(line: int, rejection: Rejection) -> list[Problem]:
    """A rejection as one problem for each field that is wrong."""
    return [_problem(line, rejection.reason, one) for one in sentences(rejection.error)]


def _problem(line: int, reason: Reason, sentence: str) -> Problem:
    word = word_of(reason, sentence)
    return Problem(line, reason.value, sentence, word.mend if word else "")
