"""A member with KAFKA_GROUP_INSTANCE_ID stops when another one has its place (KIP-345)."""

import asyncio
from typing import Any

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.group import HeartbeatResponse_v1
from aiokafka.protocol.types import Int32, Schema, String

FENCED_INSTANCE_ID = 82
"""Error code: the static member was replaced by another one with the same `group.instance.id` (KIP-345)."""
NOT_NOW = (14, 15, 16)
"""Error codes: the coordinator is loading, not available, or another broker."""


class InstanceFenced(KafkaError):
    """Another instance of this group has the same KAFKA_GROUP_INSTANCE_ID."""


class InstanceHeartbeat_v3(RequestStruct):  # noqa: N801  as the library names them
    """The client has no heartbeat with a `group.instance.id`; without one it can't be told from an expired session."""

    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = HeartbeatResponse_v1
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
    )


class InstanceHeartbeat(Request[InstanceHeartbeat_v3]):
    """Asks the coordinator whether this member still has its place."""

    API_KEY = 12

    def __init__(self, *values: Any) -> None:
        self._values = values

    def build(self, request_struct_class: type[InstanceHeartbeat_v3]) -> InstanceHeartbeat_v3:
        return request_struct_class(*self._values)


class Coordinator(GroupCoordinator):
    """A static member whose place was taken stops; the client's own would take it back, and so on for ever."""

    _fenced = False
    _place: tuple[int, str] | None = None
    """Generation and member id that the group did not know any more, until it is known why."""

    async def _send_req(self, request: Request) -> Response:
        response = await super()._send_req(request)
        self._fenced = self._fenced or getattr(response, "error_code", 0) == FENCED_INSTANCE_ID
        return response

    def reset_generation(self) -> None:
        if self._group_instance_id is not None and self.member_id:
            self._place = self.generation, self.member_id
        super().reset_generation()

    async def ensure_active_group(self, subscription: Any, prev_assignment: Any) -> Any:
        """Join the group. InstanceFenced where another has our place."""
        try:
            if self._place is not None and not await self._know_why(*self._place):
                await asyncio.sleep(self._retry_backoff_ms / 1000)
                return None
            if not self._fenced:
                return await super().ensure_active_group(subscription, prev_assignment)
        except KafkaError:
            if not self._fenced:
                raise
        raise InstanceFenced

    async def _know_why(self, generation: int, member_id: str) -> bool:
        """Whether the coordinator could say why we have no place: another has taken it, or our session has expired."""
        request = InstanceHeartbeat(self.group_id, generation, member_id, self._group_instance_id)
        try:
            answer = await self._send_req(request)
        except (NotImplementedError, IncompatibleBrokerVersion):
            pass  # it knows no static members either
        except KafkaError:
            return False
        else:
            if answer.error_code in NOT_NOW:
                self.coordinator_dead()
                return False
        self._place = None
        return True
