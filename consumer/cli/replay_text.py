"""How `projector replay` shows people what it would read, and what became of it."""

from typing import Any

from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.replay.plan import Range
from neon_projector.consumer.cli.by_topic import print_lines, print_partitions
from neon_projector.consumer.cli.output import print_json, print_text
from neon_projector.consumer.wording import counted, first_of, verb

GAPS = 5
"""So many gaps of a partition are named."""


def print_plan(ranges: list[Range], keys: bool, every: bool, as_json: bool, then: str = "") -> None:
    """What would be read; `keys`: only records with some keys are applied. `then`: what is said behind it."""
    total = sum(one.offsets for one in ranges)
    if as_json:
        body = [{**_row(r), "records": r.offsets, "lost": r.start - r.gone} for r in ranges]
        print_json({"executed": False, "total": total, "partitions": body})
        return
    print_partitions(
        ranges, lambda r: r.partition.topic,
        lambda r: {**_row(r), "records": f"{r.offsets:,}", "": _said_gone(r.start - r.gone)},
        lambda own: {
            "records": f"{sum(r.offsets for r in own):,}", "": _said_gone(sum(r.start - r.gone for r in own))
        },
        every=every,
    )  # fmt: skip
    of_keys = ", of which those of the keys are applied" if keys else ""
    read = f"up to {counted(total, 'record')} {verb(total, 'is', 'are')} read{of_keys}"
    print_text(f"{read}: {then}" if then else read)


def _row(one: Range) -> dict[str, Any]:
    where = {"topic": one.partition.topic, "partition": one.partition.partition}
    return {**where, "from": one.start, "to": one.end}


def _said_gone(number: int) -> str | None:
    return f"{number:,} {verb(number, 'is', 'are')} gone from Kafka" if number else None


def print_result(operation: Operation, as_json: bool) -> int:
    """Outcomes and what Kafka no longer had; returns the exit status."""
    result = operation.result or {}
    lost: dict[str, list[list[int]]] = result.get("lost", {})
    if as_json:
        print_json({"executed": True, "operation": operation.id, "total": operation.total, **result})
        return 1 if lost else 0
    outcomes = ", ".join(f"{name} {number:,}" for name, number in result["outcomes"].items())
    left_out = counted(result["left_out"], "offset")
    print_text(f"operation {operation.id} is done: {outcomes}; {left_out} left out")
    print_lines(map(_said_lost, lost, lost.values()), every=False, rest="projector operations show has all")
    return 1 if lost else 0


def _said_lost(partition: str, gaps: list[list[int]]) -> str:
    said = first_of((f"{start:,} to {end - 1:,}" for start, end in gaps), GAPS)
    return f"{partition}: Kafka no longer has the records of the offsets {said}"
