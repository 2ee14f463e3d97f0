"""The consumer group as its coordinator knows it: state and members."""

from dataclasses import dataclass, field

import aiokafka.errors
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from neon_projector.consumer.admin.group_protocols import CLASSIC, describe
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.recovery.retrying import Backoff
from neon_projector.consumer.settings import Settings

ATTEMPTS = 6
"""A coordinator that is still loading answers within these, about three seconds."""


@dataclass(frozen=True)
class Member:
    """One member and its partitions, as `topic:partition`."""

    name: str
    host: str
    partitions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Group:
    """`state` is Kafka's word: `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Dead` (unknown)."""

    state: str
    members: list[Member] = field(default_factory=list)
    protocol: str = CLASSIC
    """The group's type: `classic` is this service's; `consumer` (KIP-848), `share` and `streams` are other clients'."""
    says_who_reads: bool = True
    """Whether the coordinator tells each member's partitions. Kafka's does while the group is stable."""


async def group_of(settings: Settings) -> Group:
    """The group of `settings`; TransientError where no coordinator answers."""
    backoff = Backoff()
    for left in reversed(range(ATTEMPTS)):
        try:
            with kafka_translated():
                return await _describe(settings)
        except TransientError:
            if not left:
                raise
            await backoff.pause()
    raise AssertionError("the last attempt returns or raises")


async def _describe(settings: Settings) -> Group:
    client = AIOKafkaAdminClient(**client_options(settings))
    await client.start()
    try:
        (answer,) = await client.describe_consumer_groups([settings.kafka_group_id])
        dead = answer.groups[0][2] == "Dead"
        other = await describe(client, settings.kafka_group_id) if dead else None
    finally:
        await client.close()
    error, _, state, _, _, members, *_ = answer.groups[0]
    if error:
        raise aiokafka.errors.for_code(error)
    if other is not None:
        return Group(other.state, [Member(*member) for member in other.members], other.protocol)
    says_who_reads = all(assigned for *_, assigned in members)  # even of no partition there are bytes
    return Group(state, [_member(*one) for one in members], says_who_reads=says_who_reads)


def _member(name: str, _client: str, host: str, _metadata: bytes, assigned: bytes) -> Member:
    held = ConsumerProtocolMemberAssignment.decode(assigned).partitions() if assigned else []
    return Member(name, host.removeprefix("/"), sorted(f"{p.topic}:{p.partition}" for p in held))
