"""Sentences about an event that is right by itself, and can't be applied to what is stored."""

from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.words.word import Word

WRONG_OWNER = Word(
    (Reason.WRONG_OWNER,),
    "data.from_user_id: the owner at version {before}, another user came",
    "Two transfers crossed, or the event was made from an old state.",
    "Read the owner in the transaction that numbers the version. Send the same version again with the right owner.",
)
DELETED = Word(
    (Reason.DELETED,),
    "version {version}: a complete event after the deletion at version {before}, a partial one came",
    "The source updates what it has deleted.",
    "Create it again with a complete event (`…created`) of the next version.",
)
ERASED = Word(
    (Reason.ERASED,),
    "version {version}: a complete event after the erasure at version {before}, a partial one came",
    "The owner was deleted longer ago than the grace; the content is gone.",
    "Create it again with a complete event (`…created`) of the next version.",
)
CONFLICT = Word(
    (Reason.VERSION_CONFLICT,),
    "version {version}: the content that was there first, other content came",
    "Two changes got one number: versions are not counted in the source's own transaction.",
    "`UPDATE … SET version = version + 1 … RETURNING version`. A complete event of a higher version settles it.",
)
PARKED_CONFLICT = Word(
    (Reason.VERSION_CONFLICT,),
    "version {version}: the content that waits already, other content came",
    "Two changes got one number, and the versions before them have not come.",
    "Count versions in the source's own transaction. A complete event of this or a higher version settles it.",
)
TYPE_GONE = Word(
    (Reason.INVALID_DATA,),
    "type: one of the contract, one that is no longer there was parked",
    "The contract has changed while the event waited for a version before it.",
    "Send the entity's state as a complete event.",
)
UNFORESEEN = Word(
    (Reason.UNDECODABLE,),
    "reading it fails with {error}",
    "An error that the code does not expect.",
    "Please report it, with the record if you may.",
)
