"""Names that are set inside two libraries for speed: an upgrade that renames them would make us slow in silence."""

import inspect

import aiokafka.admin.client
import aiokafka.client
import aiokafka.conn
import aiokafka.consumer.consumer
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.protocol.metadata import MetadataRequest
from asyncpg.protocol import protocol

from neon_projector.consumer.kafka.client import adapt_client
from neon_projector.consumer.kafka.static_member import Coordinator
from neon_projector.models.connection import bind_arrays_quickly


def test_the_driver_looks_for_arrays_by_these_names() -> None:
    known = protocol.IterableABC, protocol.SizedABC
    try:
        bind_arrays_quickly()
        assert (protocol.IterableABC, protocol.SizedABC) == ((list, tuple), (list, tuple))
    finally:
        protocol.IterableABC, protocol.SizedABC = known


def test_the_client_fetches_by_these_names() -> None:
    source = inspect.getsource(Fetcher)
    for name in ("_prefetch_backoff", "_max_partition_fetch_bytes", "_wait_consume_future"):
        assert source.count(f"self.{name}") > 1, name  # set once, and used
    waiting = "waiter = self._create_fetch_waiter()"
    for way in (
        waiting,
        "self._records[tp] = FetchResult(",
        "del self._records[tp]",
        "self._notify(self._wait_consume_future)",
    ):
        assert way in source, way
    assert "self._coordinator.check_errors()" in inspect.getsource(AIOKafkaConsumer.getmany)
    assert "with self._subscription.fetch_context():" in inspect.getsource(AIOKafkaConsumer.getmany)
    position = inspect.getsource(AIOKafkaConsumer.position)
    for way in (
        "assignment = self._subscription.subscription.assignment",
        "assignment.state_value(partition)",
        "tp_state.has_valid_position",
        "return tp_state.position",
    ):
        assert way in position, way
    assert "self._partition_records" in inspect.getsource(FetchResult.getall)
    assert "self._partition_records" in inspect.getsource(FetchResult.has_more)


def test_no_request_for_metadata_lets_kafka_create_a_topic() -> None:
    adapt_client()
    for module in (aiokafka.client, aiokafka.admin.client):
        assert module.MetadataRequest is MetadataRequest
    for newest in ({3: (4, 4)}, {3: (0, 99)}):
        assert MetadataRequest(["users"]).prepare(newest).allow_auto_topic_creation is False


def test_the_client_joins_a_group_by_these_names() -> None:
    adapt_client()
    assert aiokafka.consumer.consumer.GroupCoordinator is Coordinator
    assert "self._coordinator = GroupCoordinator(" in inspect.getsource(AIOKafkaConsumer.start)
    source = inspect.getsource(GroupCoordinator)
    for way in (
        "async def _send_req(self, request):",
        "self.reset_generation()",
        "new_assignment = await self.ensure_active_group(",
        "except Errors.KafkaError as exc:\n                await self._push_error_to_user(exc)",
        "self._group_instance_id = group_instance_id",
    ):
        assert way in source, way
    assert inspect.getsource(aiokafka.client).count("await create_conn(") == 2
    source = inspect.getsource(AIOKafkaConnection)
    for way in (
        "protocol = AIOKafkaProtocol(self._closed_fut, reader, loop=loop)",
        'resp = await reader.readexactly(4)\n            (size,) = struct.unpack(">i", resp)\n',
        "resp = await reader.readexactly(size)\n",
    ):
        assert way in source, way
    assert source.count("reader.read") == 2


def test_the_client_is_heard_and_closed_by_these_names() -> None:
    assert "resp = await self._client.send(" in inspect.getsource(GroupCoordinator)
    assert "response = await self._client.send(node_id, request)" in inspect.getsource(Fetcher)
    assert "conn_id = (node_id, group)" in inspect.getsource(AIOKafkaClient)
    assert "self._client.bootstrap()" in inspect.getsource(AIOKafkaConsumer.start)
    for name in ("_sync_task", "_conns"):
        assert f"self.{name} = " in inspect.getsource(AIOKafkaClient)
    for name in ("_coordination_task", "_heartbeat_task", "_commit_refresh_task"):
        assert f"self.{name} = create_task(" in inspect.getsource(GroupCoordinator), name
    for name in ("_fetch_task", "_pending_tasks"):
        assert f"self.{name} = " in inspect.getsource(Fetcher), name
    assert "                self._fetch_max_wait_ms,\n" in inspect.getsource(Fetcher._get_actions_per_node)


def test_the_client_looks_at_topics_and_the_coordinator_by_these_names() -> None:
    source = inspect.getsource(AIOKafkaConsumer)
    assert "await self._wait_topics()" in source
    assert "self._client.set_topics(" in source
    assert "self.coordinator_id = coordinator_id" in inspect.getsource(GroupCoordinator)
    assert "tp_state.timestamp = now_ms" in inspect.getsource(Fetcher)
    assert "def force_metadata_update(self)" in inspect.getsource(AIOKafkaClient)
