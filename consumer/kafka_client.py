"""How the client library reaches Kafka, and what it takes no argument for: it must create no topics, says when its
place in the group was taken, and leaves in time.

With `fetching.py` and `light_records.py` this is all that is known of its inside; `test_borrowed_names.py` holds it.
"""

import asyncio
import ssl
from contextlib import nullcontext
from typing import Any

import aiokafka.client
import aiokafka.consumer.consumer
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError
from aiokafka.helpers import create_ssl_context
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.group import HeartbeatResponse_v1, JoinGroupRequest, SyncGroupRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.types import Int32, Schema, String

from consumer.advertised import ADVERTISED, connect
from consumer.errors import WrongSettings
from consumer.kafka_watch import Watch
from consumer.light_records import read_lightly
from consumer.settings import Settings

CONNECT_SECONDS = 5.0
"""How long one connection may take to be made. The client makes one at a time: a broker that does not answer would
keep it from all others, for 40 seconds."""
LEAVE_SECONDS = 3.0
"""How long the coordinator has to take note that a member leaves; after that it sees it by the end of the session."""
FENCED_INSTANCE_ID = 82
"""Error code: the static member was replaced by another one with the same `group.instance.id` (KIP-345)."""
NOT_NOW = (14, 15, 16)
"""Error codes: the coordinator is loading, not available, or another broker."""


class InstanceFenced(KafkaError):  # type: ignore[misc]
    """Another instance of this group has the same KAFKA_GROUP_INSTANCE_ID."""


class InstanceHeartbeat_v3(RequestStruct):  # type: ignore[misc]  # noqa: N801  as the library names them
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


class InstanceHeartbeat(Request[InstanceHeartbeat_v3]):  # type: ignore[misc]
    """Asks the coordinator whether this member still has its place."""

    API_KEY = 12

    def __init__(self, *values: Any) -> None:
        self._values = values

    def build(self, request_struct_class: type[InstanceHeartbeat_v3]) -> InstanceHeartbeat_v3:
        return request_struct_class(*self._values)


class Coordinator(GroupCoordinator):  # type: ignore[misc]
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
    aiokafka.consumer.consumer.GroupCoordinator = Coordinator


def client_options(settings: Settings) -> dict[str, Any]:
    """aiokafka's arguments for reaching the brokers."""
    adapt_client()
    read_lightly()
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
