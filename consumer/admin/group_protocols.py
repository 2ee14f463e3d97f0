"""Groups that do not use the classic protocol: the client library's `describe_consumer_groups` calls them Dead.

Two requests that it does not have: ListGroups version 5 tells a group's type (KIP-848, KIP-932, KIP-1071),
ConsumerGroupDescribe the members of one of the type `consumer`. Fields are as in the brokers' own
`clients/src/main/resources/common/message/*.json`.
"""

from typing import Any, NamedTuple

import aiokafka.errors
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    Int16,
    Int32,
    Schema,
)

from neon_projector.consumer.kafka.wire_types import TAGS, TEXT, Uuid

CLASSIC = "classic"


class _ListGroupsResponse_v5(Response):  # noqa: N801  as the library names them
    API_KEY = 16
    API_VERSION = 5
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "groups",
            CompactArray(("group", TEXT), ("protocol_type", TEXT), ("state", TEXT), ("type", TEXT), TAGS),
        ),
        TAGS,
    )


class _ListGroups_v5(RequestStruct):  # noqa: N801
    API_KEY = 16
    API_VERSION = 5
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _ListGroupsResponse_v5
    SCHEMA = Schema(("states", CompactArray(TEXT)), ("types", CompactArray(TEXT)), TAGS)


class _ListGroups(Request[_ListGroups_v5]):
    API_KEY = 16

    def build(self, struct: type[_ListGroups_v5]) -> _ListGroups_v5:
        return struct([], [], {})


_ASSIGNED = Schema(
    ("partitions", CompactArray(("id", Uuid), ("topic", TEXT), ("partitions", CompactArray(Int32)), TAGS)), TAGS
)


class _DescribeResponse_v0(Response):  # noqa: N801
    API_KEY = 69
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            CompactArray(
                ("error_code", Int16),
                ("error_message", TEXT),
                ("group", TEXT),
                ("state", TEXT),
                ("epoch", Int32),
                ("assignment_epoch", Int32),
                ("assignor", TEXT),
                (
                    "members",
                    CompactArray(
                        ("member", TEXT),
                        ("instance", TEXT),
                        ("rack", TEXT),
                        ("epoch", Int32),
                        ("client", TEXT),
                        ("host", TEXT),
                        ("topics", CompactArray(TEXT)),
                        ("pattern", TEXT),
                        ("assigned", _ASSIGNED),
                        ("target", _ASSIGNED),
                        TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                TAGS,
            ),
        ),
        TAGS,
    )


class _Describe_v0(RequestStruct):  # noqa: N801
    API_KEY = 69
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _DescribeResponse_v0
    SCHEMA = Schema(("groups", CompactArray(TEXT)), ("authorized_operations", Boolean), TAGS)


class _Describe(Request[_Describe_v0]):
    API_KEY = 69

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, struct: type[_Describe_v0]) -> _Describe_v0:
        return struct([self._group], False, {})


class NewMember(NamedTuple):
    """A member's id, its host, and its partitions as `topic:partition`."""

    name: str
    host: str
    partitions: list[str]


class Described(NamedTuple):
    """A group's type (`consumer`, `share`, `streams`), its state in Kafka's word, and members if it is `consumer`."""

    protocol: str
    state: str
    members: list[NewMember]


async def describe(admin: AIOKafkaAdminClient, group: str) -> Described | None:
    """The group, if it is of another type than `classic`; None where it is not, or the broker is older than types."""
    coordinator = await admin.find_coordinator(group)
    try:
        listed = await _send(admin, _ListGroups(), coordinator)
    except (aiokafka.errors.IncompatibleBrokerVersion, NotImplementedError):
        return None
    _raise(listed.error_code)
    found = {name: (state, kind) for name, _, state, kind, _ in listed.groups}
    state, kind = found.get(group, ("", CLASSIC))
    if kind.lower() in ("", CLASSIC):
        return None
    return Described(kind.lower(), state, await _members(admin, group, coordinator) if kind == "consumer" else [])


async def _members(admin: AIOKafkaAdminClient, group: str, coordinator: int) -> list[NewMember]:
    answer = await _send(admin, _Describe(group), coordinator)
    error, _, _, _, _, _, _, members, *_ = answer.groups[0]
    _raise(error)
    return [_member(*member) for member in members]


def _member(
    name: str, _i: str, _r: str, _e: int, _c: str, host: str, _t: list[str], _p: str, assigned: Any, *_: Any
) -> NewMember:
    held = sorted(f"{topic}:{partition}" for _, topic, partitions, _ in assigned[0] for partition in partitions)
    return NewMember(name, host.removeprefix("/"), held)


def _raise(code: int) -> None:
    if code:
        raise aiokafka.errors.for_code(code)


async def _send(admin: AIOKafkaAdminClient, request: Request[Any], node: int) -> Any:
    return await admin._send_request(request, node)
