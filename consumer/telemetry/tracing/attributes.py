"""What a span says of its batch, by OpenTelemetry's conventions for messaging (v1.45, still in development).

Nothing of it is an id, a key, or anything else that an event says.
"""

from collections import Counter
from collections.abc import Mapping

from neon_projector.consumer.apply.receipt import Receipt
from neon_projector.consumer.batch import Batch

PARTITIONS = 32
"""So many of a batch's partitions are named, with their offsets."""

Attributes = Mapping[str, str | int | list[str]]


def name_of(batch: Batch) -> str:
    """`process` and the topic, if it is one."""
    topics = {partition.topic for partition in batch.parts}
    return f"process {topics.pop()}" if len(topics) == 1 else "process"


def of_batch(batch: Batch, group_id: str) -> Attributes:
    """What is read, by whom, and why it was cut there."""
    spans = sorted(batch.spans.items())
    told: dict[str, str | int | list[str]] = {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": group_id,
        "messaging.batch.message_count": len(batch.decoded),
        "projector.batch.trigger": batch.trigger,
        "projector.partitions": len(spans),
        "projector.offsets": [
            f"{partition.topic}:{partition.partition} {span.start} to {span.next_offset - 1}"
            for partition, span in spans[:PARTITIONS]
        ],
    }
    if len({partition.topic for partition, _ in spans}) == 1:
        told["messaging.destination.name"] = spans[0][0].topic
    if len(spans) == 1:
        told["messaging.destination.partition.id"] = str(spans[0][0].partition)
    return told


def of_transaction(done: Batch, receipt: Receipt) -> Attributes:
    """How many records it wrote, and what became of them."""
    outcomes = Counter[str]()
    for own in receipt.totals.values():
        outcomes.update({outcome.value: number for outcome, number in own.items()})
    became = {f"projector.records.{outcome}": number for outcome, number in outcomes.items()}
    return {"projector.records": len(done.decoded), **became}
