"""How the client library reaches Kafka, and what it takes no argument for: it must create no topics, says when its
place in the group was taken, and leaves in time.

With `fetcher.py`, `light_records.py` and `static_member.py` this is all that is known of its inside;
`test_borrowed_names.py` holds it.
"""

import asyncio
import logging
import ssl
from contextlib import nullcontext
from typing import Any, NamedTuple

import aiokafka.client
import aiokafka.consumer.consumer
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context
from aiokafka.protocol.admin import DescribeGroupsRequest
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest
from aiokafka.protocol.metadata import MetadataRequest

from neon_projector.consumer.errors import WrongSettings
from neon_projector.consumer.kafka.advertised import ADVERTISED, connect
from neon_projector.consumer.kafka.answers import receive_at_once
from neon_projector.consumer.kafka.fetcher import ANSWER_BYTES
from neon_projector.consumer.kafka.light_records import read_lightly
from neon_projector.consumer.kafka.static_member import Coordinator
from neon_projector.consumer.kafka.unpack import BATCH_BYTES, unpack_within
from neon_projector.consumer.kafka.watch import Watch
from neon_projector.consumer.settings import KafkaSettings, Settings

log = logging.getLogger(__name__)

SESSION_TIMEOUT_MS = 10_000
HEARTBEAT_INTERVAL_MS = 2_000
NEVER_MS = 2**31 - 1
METADATA_MS = 5_000
"""How old the client's picture of the topics may be: the group's leader sees by it that partitions were added."""
FETCH_WAIT_MS = 100
"""How long the broker holds a fetch that finds nothing, unless others are being read (`client_fetcher.py`)."""
CONNECT_SECONDS = 5.0
"""How long one connection may take to be made. The client makes one at a time: a broker that does not answer would
keep it from all others, for 40 seconds."""
GROUP_SECONDS = 2.0
"""How long the coordinator has to tell who reads what."""
LEAVE_SECONDS = 3.0
"""How long the coordinator has to take note that a member leaves; after that it sees it by the end of the session."""


def listen(consumer: AIOKafkaConsumer, watch: Watch) -> None:
    """Let the watch know of each answer that this client gets."""
    client = consumer._client
    send = client.send

    async def sent(node: int, request: Any, **options: Any) -> Any:
        with watch.joining() if isinstance(request, JoinGroupRequest | SyncGroupRequest) else nullcontext():
            answer = await send(node, request, **options)
        watch.heard()
        return answer

    client.send = sent


async def leave(consumer: AIOKafkaConsumer) -> None:
    """Leave the group and close all connections, also where no broker answers."""
    stopping = asyncio.create_task(consumer.stop())  # a task: where its own tasks are cancelled it ends as if we were
    await asyncio.wait((stopping,), timeout=LEAVE_SECONDS)
    coordinator, fetcher, client = consumer._coordinator, consumer._fetcher, consumer._client
    tasks = [stopping, client._sync_task]
    if coordinator is not None:
        tasks += [coordinator._coordination_task, coordinator._heartbeat_task, coordinator._commit_refresh_task]
    if fetcher is not None:
        tasks += [fetcher._fetch_task, *fetcher._pending_tasks]
    left = [task for task in tasks if task is not None]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for connection in client._conns.values():
        connection.close()


async def _connect(host: str, port: int, **options: Any) -> Any:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await connect(host, port, **options)
    except (OSError, KafkaError) as error:
        if "on_close" in options:  # else it is one of KAFKA_BOOTSTRAP_SERVERS, which is not kept
            ADVERTISED.failed(host, port, error)
        raise
    ADVERTISED.reached(host, port)
    return connection


def adapt_client() -> None:
    """Let all clients of this process be so. `client_options` calls it: without those no client reaches Kafka."""
    MetadataRequest.__init__.__defaults__ = (None, False)  # no allow_auto_topic_creation
    aiokafka.client.create_conn = _connect
    receive_at_once()
    aiokafka.consumer.consumer.GroupCoordinator = Coordinator
    AIOKafkaConsumer._wait_topics = _wait_topics


def group_member(settings: Settings) -> AIOKafkaConsumer:
    """The member of the consumer group, not started. It stays in the group however long a record takes."""
    return AIOKafkaConsumer(
        group_id=settings.kafka_group_id,
        group_instance_id=settings.kafka_group_instance_id or None,
        isolation_level=settings.kafka_isolation_level,
        enable_auto_commit=False,
        auto_offset_reset="none",
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
        max_poll_interval_ms=NEVER_MS,
        metadata_max_age_ms=METADATA_MS,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        fetch_max_bytes=ANSWER_BYTES,
        **client_options(settings),
    )


class Member(NamedTuple):
    """A member of the group, and what it reads. `host` is its address as the coordinator sees it."""

    name: str
    host: str
    is_this_one: bool
    partitions: frozenset[TopicPartition]


async def members_of_group(consumer: AIOKafkaConsumer, group_id: str) -> list[Member] | None:
    """All members of the group; None in a rebalance, and where the coordinator does not say."""
    node = consumer._coordinator.coordinator_id
    if node is None:
        return None
    try:
        async with asyncio.timeout(GROUP_SECONDS):
            answer = await consumer._client.send(node, DescribeGroupsRequest([group_id]))
    except (KafkaError, NotImplementedError, TimeoutError):
        return None
    error, _, state, _, _, members, *_ = answer.groups[0]
    if error or state != "Stable" or not all(assignment for *_, assignment in members):  # even of none it has bytes
        return None
    own = consumer._coordinator.member_id
    return [
        Member(name, host.removeprefix("/"), name == own, _assigned(assignment))
        for name, _client, host, _metadata, assignment in members
    ]


def _assigned(assignment: bytes) -> frozenset[TopicPartition]:
    partitions = ConsumerProtocolMemberAssignment.decode(assignment).partitions()
    return frozenset(TopicPartition(p.topic, p.partition) for p in partitions)


async def _wait_topics(consumer: AIOKafkaConsumer) -> None:
    """Look at the topics once. The client's own waits 40 seconds for one that is gone, and then reads none of them."""
    if (subscription := consumer._subscription.subscription) is not None:
        consumer._client.set_topics(subscription.topics)
        await consumer._client.force_metadata_update()


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """aiokafka's arguments for reaching the brokers."""
    adapt_client()
    read_lightly()
    unpack_within(BATCH_BYTES + settings.event_max_bytes)
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "client_id": "neon-projector",
        "security_protocol": settings.kafka_security_protocol,
    }
    if "SSL" in settings.kafka_security_protocol.split("_"):
        files = (settings.kafka_ssl_cafile, settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile)
        cafile, certfile, keyfile = (str(path) if path else None for path in files)
        try:
            options["ssl_context"] = create_ssl_context(cafile=cafile, certfile=certfile, keyfile=keyfile)
        except (ssl.SSLError, OSError) as error:
            raise WrongSettings(f"KAFKA_SSL_CAFILE, KAFKA_SSL_CERTFILE, KAFKA_SSL_KEYFILE: {error}") from None
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        password = settings.kafka_sasl_password
        options["sasl_plain_password"] = None if password is None else password.get_secret_value()
    return options
