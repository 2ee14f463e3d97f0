"""How a transaction goes about applying records."""

from enum import IntEnum


class Mode(IntEnum):
    """Each mode is slower than the one before, and can do more."""

    SHARED_INSERT = 0
    """Beside others. It can keep nothing aside, and takes entities of version 1 to be new."""
    SHARED = 1
    """Beside others. It can keep nothing aside."""
    SHARED_LOOKING = 2
    """Beside others. It finds what lacks a parent, or wants a unique value that another has, before it writes."""
    EXCLUSIVE = 3
    """No other transaction is open meanwhile."""
    EXCLUSIVE_RESOLVE = 4
    """Alone. It decides who gets which unique value before it writes anything."""
    EXCLUSIVE_APART = 5
    """The same for one record that the database has refused, itself or something it brings along. Each row that the
    record brings along is tried by itself. If the database refuses it, a state is kept aside as `refused`, and a parked
    event becomes a dead letter."""

    @property
    def shared(self) -> bool:
        """Whether other transactions may be open meanwhile. Such a transaction keeps nothing aside."""
        return self <= Mode.SHARED_LOOKING
