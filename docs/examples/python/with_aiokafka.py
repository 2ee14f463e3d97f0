"""Publishes events of a user and two documents with aiokafka: pip install -r requirements.txt"""

import asyncio
import json
from datetime import UTC, datetime
from os import environ
from uuid import UUID, uuid4, uuid5

from aiokafka import AIOKafkaProducer

TOPICS = {"user": environ.get("USERS_TOPIC", "users"), "document": environ.get("DOCUMENTS_TOPIC", "documents")}
NAMESPACE = UUID("e1dd95a7-c9ed-41c6-a221-46adb48f8b8c")  # of this system, made once with uuid4


def entity_id(table: str, number: int) -> str:
    """The UUID of a row whose key is a number: always the same one."""
    return str(uuid5(NAMESPACE, f"{table}/{number}"))


def event(type: str, id: str, version: int, **fields: object) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/examples/aiokafka",
        "type": type,
        "time": datetime.now(UTC).isoformat(),
        "data": {"id": id, "version": version, **fields},
    }


async def send(producer: AIOKafkaProducer, event: dict[str, object]) -> None:
    await producer.send_and_wait(
        TOPICS[event["type"].partition(".")[0]],
        key=event["data"]["id"].encode(),
        value=json.dumps(event, allow_nan=False).encode(),
        headers=[("content-type", b"application/cloudevents+json")],
    )


async def main() -> None:
    user, letter, draft = entity_id("user", 1), entity_id("document", 1), entity_id("document", 2)
    async with AIOKafkaProducer(
        bootstrap_servers=environ["KAFKA_BOOTSTRAP_SERVERS"],
        acks="all",
        enable_idempotence=True,  # its default partitioner is Java's: murmur2 of the key
    ) as producer:
        await send(producer, event("user.created", user, 1, email="ada@aiokafka.example", name="Ada"))
        await send(producer, event("user.updated", user, 2, name="Ada Lovelace"))
        await send(producer, event("document.created", letter, 1, title="A letter", user_id=user))
        await send(producer, event("document.updated", letter, 2, content="Dear Charles"))
        await send(producer, event("document.created", draft, 1, title="A draft", user_id=user))
        await send(producer, event("document.deleted", draft, 2))


asyncio.run(main())
