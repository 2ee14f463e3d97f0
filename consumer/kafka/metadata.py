"""What Kafka says of topics: their ids, partitions and leaders. The client library keeps no ids (KIP-516)."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiokafka.errors
from aiokafka import TopicPartition
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v4, MetadataRequest_v5
from aiokafka.protocol.types import Boolean, CompactArray, Int16, Int32, Schema

from neon_projector.consumer.kafka.wire_types import TAGS, TEXT, Uuid

NO_ID = bytes(16)
"""How a broker without topic ids fills the field, and a request that names a topic by its name."""
UNKNOWN_TOPIC = 3
"""Error code: the topic does not exist."""


class MetadataResponse_v12(Response):  # noqa: N801  as the library names them
    """Of Kafka 3.0 and later."""

    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(("node_id", Int32), ("host", TEXT), ("port", Int32), ("rack", TEXT), TAGS)),
        ("cluster_id", TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", TEXT),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                TAGS,
            ),
        ),
        TAGS,
    )


class MetadataRequest_v12(RequestStruct):  # noqa: N801
    """Of Kafka 3.0 and later."""

    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = MetadataResponse_v12
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", Uuid), ("topic", TEXT), TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        TAGS,
    )


class TopicsRequest(Request[MetadataRequest_v4 | MetadataRequest_v5 | MetadataRequest_v12]):
    """Asks for topics by name, and creates none."""

    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: Any) -> Any:
        if request_struct_class is MetadataRequest_v12:
            return request_struct_class([(NO_ID, topic, {}) for topic in self._topics], False, False, {})
        return request_struct_class(list(self._topics), False)


@dataclass(frozen=True)
class Topic:
    """A topic that exists."""

    id: str | None
    """As Kafka's tools print it; None where the broker gives none: then a recreated topic can't be told by it."""
    leaders: dict[int, int] = field(default_factory=dict)
    """By partition the node that leads it, -1 for none."""


@dataclass(frozen=True)
class Metadata:
    """One answer: the topics that exist, of those that were asked for, and the brokers' addresses."""

    topics: dict[str, Topic]
    brokers: tuple[tuple[str, int], ...] = ()


async def ask(connection: AIOKafkaConnection, topics: Iterable[str]) -> Metadata:
    """Metadata of `topics`. KafkaError where the broker does not tell."""
    answer = await connection.send(TopicsRequest(sorted(topics)))
    brokers = tuple((host, port) for _, host, port, *_ in answer.brokers)
    if answer.API_VERSION < MetadataResponse_v12.API_VERSION:
        return Metadata({row[1]: Topic(None, _leaders(row[3])) for row in answer.topics if _exists(row[0])}, brokers)
    return Metadata({row[1]: Topic(_id(row[2]), _leaders(row[4])) for row in answer.topics if _exists(row[0])}, brokers)


def _exists(code: int) -> bool:
    if code in (0, UNKNOWN_TOPIC):
        return code == 0
    raise aiokafka.errors.for_code(code)


def _leaders(partitions: Sequence[Sequence[Any]]) -> dict[int, int]:
    return {row[1]: row[2] for row in partitions}


def _id(given: bytes) -> str | None:
    return None if given == NO_ID else urlsafe_b64encode(given).decode().rstrip("=")


def is_another(stored: str | None, found: str | None) -> bool:
    """Whether these are the ids of two topics; None: unknown."""
    return stored is not None and found is not None and stored != found


def is_there(partition: TopicPartition, topics: Mapping[str, Topic]) -> bool:
    """Whether the partition exists."""
    return partition.topic in topics and partition.partition in topics[partition.topic].leaders
