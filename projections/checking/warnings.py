"""What is said of events that the service takes, and that may mean something else. How they go together in one file is
never sure, as more may have been published before; in memory (`projections/kit/`) it is."""

from typing import NamedTuple

from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.contract.words.of_data import MISNAMED
from neon_projector.projections.contract.words.of_states import CONFLICT, DELETED, WRONG_OWNER


class Warned(NamedTuple):
    """One kind of warning: its name, its sentence as a format string, and what to do."""

    name: str
    says: str
    mend: str

    def at(self, line: int, other_line: int | None = None, **said: object) -> Problem:
        """The warning of a line, with the one that it clashes with."""
        return Problem(line, self.name, self.says.format(**said), self.mend.format(**said), other_line, warning=True)


GAP = Warned(
    "gap",
    "version {version}: the one after {before}, or a complete event, a partial one came",
    "It waits for the versions between. Send them too, or the entity's state as a complete event.",
)
NO_BASE = Warned(
    "no_base",
    "version {version}: a complete event before it, a partial one came first",
    "It waits for the versions before. Send the entity's first event too, or its state as a complete event.",
)
TWICE = Warned("version_conflict", CONFLICT.says, CONFLICT.mend)
OWNER = Warned("wrong_owner", WRONG_OWNER.says, WRONG_OWNER.mend)
AFTER_DELETION = Warned("deleted", DELETED.says, DELETED.mend)
UNKNOWN_OWNER = Warned(
    "unknown_owner",
    "data.{column}: the id of a {entity}, one that these events do not have came",
    "It waits for that {entity}. Publish the {entity}, too, if that was not done before.",
)
DELETED_OWNER = Warned(
    "deleted_owner",
    "data.{column}: the id of a {entity} that is there, one that these events delete came",
    "It is hidden, and erased after the grace. Give it to another {entity} first, or delete it.",
)
WAITING_OWNER = Warned(
    "waiting_owner",
    "data.{column}: the id of a {entity} that is there, one that waits itself came",
    "It waits for that {entity}: see what is said about that one.",
)
HELD = Warned(
    "address_held",
    "data.{column}: a value of one {entity} only, one that another ends up with came",
    "Who comes second waits until the first one gives it up. Make sure that both are not the same {entity}.",
)
UNKNOWN_TYPE = Warned(
    "unknown_type",
    "type: one of the contract, another came{meant}",
    "The service ignores the event, and its version is missing. Write the type as the contract does.",
)
NO_EVENT = Warned(
    "no_event",
    "the value: an event, null came",
    "The service ignores the record. A null value deletes nothing here: send the entity's `…deleted` event.",
)
MISNAMED_FIELD = Warned("misnamed_field", MISNAMED.says, f"The event is read without that field. {MISNAMED.mend}")
