"""How `projector traffic` says who sends how much: first in one sentence."""

from typing import Any

from neon_projector.consumer.cli.by_topic import print_lines
from neon_projector.consumer.cli.output import print_first, print_json, print_text
from neon_projector.consumer.cli.times import ago
from neon_projector.consumer.wording import counted, span, verb

Row = dict[str, Any]

NO_SOURCE = "-"
MORE = "--limit shows more, --json has the exact times"
NAMED = 5
"""Of more partitions only the number is said."""


def print_traffic(told: Row, limit: int, as_json: bool) -> None:
    """At most `limit` rows; the answer says how many there are more."""
    if as_json:
        rows = told["rows"][:limit]
        print_json({"verdict": verdict(told), **told, "rows": rows, "more_rows": len(told["rows"]) - len(rows)})
        return
    print_text(verdict(told))
    for topic in told["topics"]:
        for line in (_pace(topic), _sample(topic)):
            if line:
                print_text(line)
    if told["rows"]:
        print_first([_row(row, told["ids_exact"]) for row in told["rows"]], limit, MORE)
    for line in _limits(told):
        print_text(line)
    print_lines(told["unreadable"], every=False, rest="--json has all")


def verdict(told: Row) -> str:
    """The source with most records in the topic that gets most: of those that the service is behind with, if any."""
    topics = [one for one in told["topics"] if one["records"]]
    if not topics:
        return f"no record of {' or '.join(map(_name, told['topics']))} is in this range (times are the records' own)"
    behind = [one for one in topics if one["waiting"]] or topics
    by = "per_second" if all(one["per_second"] or one["records"] == 1 for one in behind) else "records"
    topic = max(behind, key=lambda one: (one[by] or 0.0, one["records"]))
    name, most = _name(topic), topic["most"]
    share, rate = said_share(most["share"]), most["per_second"]
    nobody = most["source"] == NO_SOURCE
    sends = "sent" if most["stopped_at"] else "sends"
    said = f"{share} of {name} name no source" if nobody else f"{most['source']} {sends} {share} of {name}"
    said += "" if rate is None else f", {_said_rate(rate)}/s"
    said += f" until {ago(most['stopped_at'])}" if most["stopped_at"] else ""
    said += f", {said_share(most['entity_share'])} of them of {most['entity_id']}" if most["entity_id"] else ""
    if applied := topic["applied_per_second"]:
        return f"{said}; the service applies {_said_rate(applied)}/s of {name}"
    if applied is not None:
        idle = topic["seconds_since_applied"]
        return f"{said}; the service has applied nothing of {name}{'' if idle is None else f' for {span(idle)}'}"
    waiting = topic["waiting"]
    waits = f"{waiting:,} of {name} {verb(waiting, 'waits', 'wait')}" if waiting else f"nothing of {name} waits"
    return f"{said}; {waits}"


def _name(topic: Row) -> str:
    """With the partitions, where these are not all: `users:0,1`."""
    numbers, name = topic["partitions"], str(topic["topic"])
    if numbers is None:
        return name
    return (
        f"{name}:{','.join(map(str, numbers))}"
        if len(numbers) <= NAMED
        else f"{counted(len(numbers), 'partition')} of {name}"
    )


def said_share(share: float) -> str:
    """`94 %`; nothing is all or nothing that is not."""
    if 0 < share < 0.01:
        return "<1 %"
    return f"{min(100 * share, 100 if share == 1 else 99):.0f} %"


def _said_rate(rate: float) -> str:
    return f"{rate:,.1f}" if rate < 10 else f"{rate:,.0f}"


def _pace(topic: Row) -> str:
    """What waits, and how fast it becomes more or less, as was measured just now."""
    come, applied, waiting = topic["come_per_second"], topic["applied_per_second"], topic["waiting"]
    if applied is None or not waiting:
        return ""
    waits = f"{_name(topic)}: {counted(waiting, 'record')} {verb(waiting, 'waits', 'wait')}"
    measured = f"in the last {topic['measured_seconds']:.0f} s {_said_rate(come)}/s came, {_said_rate(applied)}/s"
    ends = f", so nothing waits in {span(waiting / (applied - come))}" if applied - come >= 1 else ""
    return f"{waits}; {measured} were applied{ends}"


def _sample(topic: Row) -> str:
    """Which part of the range was read, where it is not all."""
    read, asked = topic["offsets_read"], topic["offsets_asked"]
    if read == asked:
        return ""
    since = f" (since {ago(topic['since'])})" if topic["since"] else ""
    return f"{_name(topic)}: read were the newest {read:,} of {counted(asked, 'record')}{since}; --all reads all"


def _row(row: Row, ids_exact: bool) -> Row:
    """Of entities only what has room beside their ids."""
    counts = {"records": f"{row['records']:,}", "share": said_share(row["share"])}
    if "entity_id" in row:
        return {"topic": row["topic"], "entity id": row["entity_id"] or NO_SOURCE, "source": row["source"], **counts}
    rate = row["per_second"]
    return {
        "topic": row["topic"],
        "source": row["source"],
        **({"type": row["type"]} if "type" in row else {}),
        **counts,
        "per second": None if rate is None else _said_rate(rate),
        "entities": f"{row['ids']:,}" if ids_exact else f"about {row['ids']:,}" if row["ids"] else "few",
        "no event": f"{row['no_event']:,}" if row["no_event"] else None,
        "newest": row["newest"],
    }


def _limits(told: Row) -> list[str]:
    """Where a number is a bound."""
    missing = told["missing"]
    return (
        [f"so many different ones came that a row may have up to {counted(missing, 'record')} more"] if missing else []
    )
