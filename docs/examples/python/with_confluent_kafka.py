"""Publishes events of a user and two documents with confluent-kafka: pip install -r requirements.txt"""

import json
from datetime import UTC, datetime
from os import environ
from uuid import UUID, uuid4, uuid5

from confluent_kafka import KafkaError, Message, Producer

TOPICS = {"user": environ.get("USERS_TOPIC", "users"), "document": environ.get("DOCUMENTS_TOPIC", "documents")}
NAMESPACE = UUID("403d4672-5e56-46c1-b0e1-ef1be3e215cb")  # of this system, made once with uuid4

producer = Producer({
    "bootstrap.servers": environ["KAFKA_BOOTSTRAP_SERVERS"],
    "partitioner": "murmur2_random",  # Java's; the default of librdkafka is another one
    "enable.idempotence": True,
    "acks": "all",
})  # fmt: skip


def entity_id(table: str, number: int) -> str:
    """The UUID of a row whose key is a number: always the same one."""
    return str(uuid5(NAMESPACE, f"{table}/{number}"))


def event(type: str, id: str, version: int, **fields: object) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/examples/confluent-kafka",
        "type": type,
        "time": datetime.now(UTC).isoformat(),
        "data": {"id": id, "version": version, **fields},
    }


def send(event: dict[str, object]) -> None:
    producer.produce(
        TOPICS[event["type"].partition(".")[0]],
        key=event["data"]["id"],
        value=json.dumps(event, allow_nan=False),
        headers={"content-type": "application/cloudevents+json"},
        on_delivery=delivered,
    )
    producer.poll(0)  # calls `delivered` of those sent before


def delivered(error: KafkaError | None, message: Message) -> None:
    if error is not None:
        raise SystemExit(f"{message.key()}: {error}")


user, letter, draft = entity_id("user", 1), entity_id("document", 1), entity_id("document", 2)
send(event("user.created", user, 1, email="ada@confluent.example", name="Ada"))
send(event("user.updated", user, 2, name="Ada Lovelace"))
send(event("document.created", letter, 1, title="A letter", user_id=user))
send(event("document.updated", letter, 2, content="Dear Charles"))
send(event("document.created", draft, 1, title="A draft", user_id=user))
send(event("document.deleted", draft, 2))
producer.flush()
