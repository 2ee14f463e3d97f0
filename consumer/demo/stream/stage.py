"""Where the stories play: chance, the publisher's clock, its truth, and the events of late."""

import heapq
import random
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from neon_projector.consumer.demo.stream.truth import Row, Truth
from neon_projector.consumer.demo.stream.wire import DemoEvent, DemoRecord, record_of

REMEMBERED = 400
"""Good events of late, of which some are sent twice."""
PASSWORD = "correct horse battery staple"  # noqa: S105  of nobody; it must be found nowhere
ZONES = (UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8)))


class Stage:
    """What all stories share. `seed` makes the same stream again, but for its times."""

    def __init__(self, truth: Truth, seed: int) -> None:
        self.truth, self.seed = truth, seed
        self.rng = random.Random(seed)  # noqa: S311  a play, not a secret
        self.sent: deque[DemoEvent] = deque(maxlen=REMEMBERED)
        self._last = datetime.min.replace(tzinfo=UTC)
        self._number = 0
        self._held: list[tuple[int, int, DemoRecord]] = []
        self._turn = 0

    def new_id(self) -> UUID:
        return UUID(int=self.rng.getrandbits(128), version=4)

    def number(self) -> int:
        """The next number: what is named by it is unique."""
        self._number += 1
        return self._number

    def now(self) -> datetime:
        """The publisher's time, later at each call."""
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def time_text(self, time: datetime) -> str:
        """RFC 3339 in some zone; one in three has nanoseconds, which the tables don't keep."""
        text = time.astimezone(self.rng.choice(ZONES)).isoformat(timespec="microseconds")
        if self.chance(1 / 3):
            text = f"{text[:26]}{self.rng.randrange(1000):03}{text[26:]}"
        return text.replace("+00:00", "Z")

    def hold_back(self, record: DemoRecord, turns: int) -> None:
        """Publish `record` after so many more stories, or at the end of the stream, whichever comes first."""
        heapq.heappush(self._held, (self._turn + turns, self.number(), record))

    def late(self, *, everything: bool = False) -> list[DemoRecord]:
        """A turn later, the records that were held back until now; or all of them."""
        self._turn += 1
        late: list[DemoRecord] = []
        while self._held and (everything or self._held[0][0] <= self._turn):
            late.append(heapq.heappop(self._held)[2])
        return late

    def event(self, kind: str, row: Mapping[str, Any], time: datetime, fields: Mapping[str, Any]) -> DemoEvent:
        """The event `kind` (`user.created`) of the entity whose `id` and `version` are in `row`."""
        data = {name: self._plain(value) for name, value in fields.items()}
        attributes: dict[str, Any] = {
            "specversion": "1.0",
            "id": str(self.new_id()),
            "source": "/demo/directory",
            "type": kind,
            "time": self.time_text(time),
            "data": {"id": str(row["id"]), "version": row["version"], **data},
        }
        if self.chance(0.5):
            attributes["subject"] = str(row["id"])
        return DemoEvent(kind.partition(".")[0], row["id"], attributes)

    def tell(self, kind: str, row: Row, *names: str, **fields: Any) -> list[DemoRecord]:
        """Send the event of a change: columns of `row` by name, and more `fields`.

        `updated_at` goes with it, or is left to the event's own time.
        """
        told = {name: row[name] for name in names} | fields
        if "updated_at" in row and self.chance(0.7):
            told["updated_at"] = row["updated_at"]
        if "email" in told and self.chance(1 / 3):
            told["email"] = row["email"].replace("@example.com", "@Example.COM")
        if kind.startswith("user.") and self.chance(0.1):
            told["password"] = PASSWORD
        event = self.event(kind, row, row.get("updated_at") or self.now(), told)
        self.sent.append(event)
        return [record_of(event, self.rng)]

    def _plain(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return self.time_text(value)
        return str(value) if isinstance(value, UUID) else value
