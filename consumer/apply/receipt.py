"""What one transaction did: an outcome for each record, and the mode that the next transaction will likely need."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from neon_projector.consumer.apply.entities.plan import KeptAside, Written
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.oddities import Oddity
from neon_projector.consumer.batch import Batch
from neon_projector.projections.contract.event import Decoded, Rejection
from neon_projector.projections.contract.outcome import Outcome


@dataclass(slots=True)
class Receipt:
    """What one transaction did."""

    totals: dict[TopicPartition, Counter[Outcome]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    """The rejections of this batch's records."""
    new: list[Rejection] = field(default_factory=list)
    """Of these, the ones that were not rejected earlier for the same reason."""
    released: Counter[Outcome] = field(default_factory=Counter)
    """What became of events and states that had waited since an earlier transaction."""
    kept: list[KeptAside] = field(default_factory=list)
    """States that waited, and that the database refused when their turn came."""
    odd: list[Oddity] = field(default_factory=list)
    """What is odd among the ignored records."""
    next_mode: Mode = Mode.SHARED_INSERT
    """The mode in which the next batch should begin: exclusive if this batch parked anything, without the assumption
    that entities are new if this one brought what was there already."""

    def add(self, batch: Batch, written: Written) -> None:
        """Add what became of one entity's events."""
        self.kept += written.kept
        self.count(batch, Outcome.APPLIED, written.applied)
        self.count(batch, Outcome.SUPERSEDED, written.superseded)
        self.count(batch, Outcome.PARKED, written.parked)
        self.released.update(written.released)
        self.next_mode = max(self.next_mode, _likely(written))

    def count(self, batch: Batch, outcome: Outcome, decoded: Sequence[Decoded]) -> None:
        """Count these records of `batch`, which have this outcome, by partition."""
        for partition, number in batch.numbers_of(decoded).items():
            self.totals.setdefault(partition, Counter())[outcome] += number


def _likely(written: Written) -> Mode:
    if written.parked:
        return Mode.EXCLUSIVE
    return Mode.SHARED if written.superseded else Mode.SHARED_INSERT
