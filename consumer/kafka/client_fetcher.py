"""The client's fetcher, which hears also that a broker can't read its own log.

A broker that finds a batch's head damaged answers CORRUPT_MESSAGE for that partition. The client's own fetcher writes a
line to the log and asks again at once, for ever, and tells nobody.
"""

from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException

from neon_projector.consumer.kafka.record_batches import Unreadable

FETCH = 1
"""The API's key."""


class Fetcher(fetcher.Fetcher):  # type: ignore[misc]
    """For such a partition there is an Unreadable error, as for one whose records can't be read here."""

    def __init__(self, client: Any, *rest: Any, **options: Any) -> None:
        super().__init__(_Heard(client), *rest, **options)

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


class _Heard:
    """The client, and of which partitions a broker has said that they are damaged."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.damaged: set[TopicPartition] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node_id: int, request: Any) -> Any:
        answer = await self._client.send(node_id, request)
        if answer.API_KEY == FETCH:
            for topic, partitions in answer.topics:
                bad = {p for p, code, *_ in partitions if code == CorruptRecordException.errno}
                self.damaged |= {TopicPartition(topic, p) for p in bad}
        return answer
