"""The client's fetcher, which hears also that a broker can't read its own log, and that a leader may be another one.

A broker that finds a batch's head damaged answers CORRUPT_MESSAGE for that partition. The client's own fetcher writes a
line to the log and asks again at once, for ever, and tells nobody. And where a broker was lost, it reads on at the same
offset of the one that answers next, though that one's log may be shorter, or have been lost and filled again.

It asks a broker for one thing at a time: for all partitions of which nothing is here. Where these are all at their
ends, the broker holds the fetch, and of the others nothing is asked for meanwhile.
"""

from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException, KafkaError, OffsetOutOfRangeError

from neon_projector.consumer.kafka.record_batches import Unreadable

FETCH = 1
"""The API's key."""
DAMAGED = CorruptRecordException.errno
OF_ITSELF = (DAMAGED, OffsetOutOfRangeError.errno)
"""Error codes that are about the partition itself, not about who leads it."""
HELD_MS = 10
"""So long may a broker hold a fetch while others are read; else as long as the client's owner said."""


class Fetcher(fetcher.Fetcher):
    """For a damaged partition there is an Unreadable error, as for one whose records can't be read here."""

    def __init__(self, client: Any, *rest: Any, **options: Any) -> None:
        super().__init__(_Heard(client), *rest, **options)
        self._quiet_ms: int = self._fetch_max_wait_ms

    def _get_actions_per_node(self, assignment: Any) -> Any:
        here = map(assignment.state_value, self._records)
        reads_others = any(state is not None and not state.paused for state in here)
        self._fetch_max_wait_ms = min(self._quiet_ms, HELD_MS) if reads_others else self._quiet_ms
        return super()._get_actions_per_node(assignment)

    async def _proc_fetch_request(self, assignment: Any, node_id: int, request: Any) -> bool:
        news: bool = await super()._proc_fetch_request(assignment, node_id, request)
        damaged, self._client.damaged = self._client.damaged, set()
        asked = {TopicPartition(t, p): offset for t, partitions in request.topics for p, offset, _ in partitions}
        for partition in damaged & asked.keys() if assignment.active else ():
            state, offset = assignment.state_value(partition), asked[partition]
            if partition not in self._records and state.has_valid_position and state.position == offset:
                self._set_error(partition, Unreadable(partition, offset, None, "the broker can't read it"))
                news = True
        return news

    def doubtful(self) -> set[TopicPartition]:
        """The partitions whose leaders may be others than before, each once: a connection was lost, or a fetch refused.
        It is known before anything of what comes next can be taken."""
        if not (self._client.lost or self._client.refused):
            return set()
        assignment = self._subscriptions.subscription.assignment
        found = set(assignment.tps) if self._client.lost and assignment is not None else self._client.refused
        self._client.lost, self._client.refused = False, set()
        return found


class _Heard:
    """The client, and what it hears of fetches."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.damaged: set[TopicPartition] = set()
        """A broker has said that they are damaged."""
        self.refused: set[TopicPartition] = set()
        """A broker has refused to give of them."""
        self.lost = False
        """A connection was lost, by which records came."""
        self._by: dict[int, Any] = {}
        """By node the connection by which it has answered last."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node_id: int, request: Any) -> Any:
        try:
            answer = await self._client.send(node_id, request)
        except KafkaError:
            self._came_by(node_id, None)
            raise
        if answer.API_KEY == FETCH:
            self._came_by(node_id, self._client._conns.get((node_id, ConnectionGroup.DEFAULT)))
            for topic, partitions in answer.topics:
                bad = {p: code for p, code, *_ in partitions if code}
                self.damaged |= {TopicPartition(topic, p) for p, code in bad.items() if code == DAMAGED}
                self.refused |= {TopicPartition(topic, p) for p, code in bad.items() if code not in OF_ITSELF}
        return answer

    def _came_by(self, node_id: int, connection: Any) -> None:
        before = self._by.get(node_id)
        self.lost = self.lost or (before is not None and connection is not before)
        self._by[node_id] = connection
