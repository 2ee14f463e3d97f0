"""How `projector explain` shows a story to people."""

from typing import Any

from neon_projector.consumer.cli.output import place, print_first, print_next, print_table, print_text
from neon_projector.consumer.wording import counted, verb

Row = dict[str, Any]

STORED = {
    "rows": ("entity", "version"),
    "aside": ("entity", "version", "reason", "waiting_for", "since", "error"),
    "parked": ("entity", "version", "type", "record", "since"),
    "dead_letters": ("id", "record", "reason", "error", "status", "created_at"),
}
"""What is printed of what the database has, in this order."""
NEWEST = 10
"""So many of each are shown to people."""


def print_story(story: Row) -> None:
    """All of it, the conclusion last: it is what a person reads first at a terminal."""
    for name, columns in STORED.items():
        if story[name]:
            print_text(name.replace("_", " ").capitalize())
            _print_newest([{column: _said(row, column) for column in columns} for row in story[name]])
    if traces := [_trace(row) for row in (*story["parked"], *story["dead_letters"]) if row["traceparent"]]:
        print_text("Traces")
        _print_newest(traces)
    if story.get("records"):
        print_text("Its records, in order")
        _print_newest([_record(row) for row in story["records"]])
    elif len(story["timeline"]) > 1:
        print_text("In time")
        _print_newest(story["timeline"])
    print_conclusion(story)


def _print_newest(rows: list[Row]) -> None:
    """Of many rows the last ones: they are in order of time, version or number."""
    if (more := len(rows) - NEWEST) > 0:
        print_text(f"{more:,} earlier {verb(more, 'one is', 'ones are')} left out; --json has all")
    print_table(rows[-NEWEST:])


def print_conclusion(story: Row) -> None:
    """The sentence, what to hand to the publisher, and the next commands."""
    print_text(f"{story['id']}: {story['conclusion']}")
    for sentence in story["ask"]:
        print_text(sentence)
    for command in story["next"]:
        print_next(command)


def _said(row: Row, column: str) -> Any:
    return place(row) if column == "record" else row[column]


def _trace(row: Row) -> Row:
    _, trace_id, span_id, _ = row["traceparent"].split("-")
    return {"record": place(row), "trace_id": trace_id, "span_id": span_id}


def _record(row: Row) -> Row:
    letter = f" (dead letter {row['dead_letter']})" if row["dead_letter"] else ""
    return {
        "at": row["at"],
        "record": place(row),
        "event": row["type"] or "no event",
        "version": row["version"],
        "would be": row["would"],
        "changes": row["changes"],
        "is": f"{row['did']}{letter}",
    }


LISTED = 20
"""So many entities that may be stale, and windows, are shown to people; `--json` has all of them."""


NAMED = 3
"""Of so many windows the command is printed that reads them: the newest ones."""


def print_stale(report: Row) -> None:
    """What `explain --partition` found."""
    name, windows, entities = report["partition"], report["windows"], report["may_be_stale"]
    if not windows:
        rest = "".join(f"; {why.removeprefix(f'{name}: ')}" for why in report["not_read"])
        print_text(f"{name}: no record was left out, as far as it is known here{rest}")
        return
    shown = [{name: window[name] for name in ("from", "to", "at", "by", "in_kafka")} for window in windows]
    _print_newest(shown)
    if entities:
        print_first(entities, LISTED, "--json has all")
    unknown = "its records, perhaps too few, do not tell how keys are hashed, so all count"
    how = f"keys are hashed by {report['keys']}" if report["keys"] else unknown
    if report["partitions"] == 1:
        how = "it is the topic's only partition, so all count"
    rest = f" ({'; '.join(report['not_read'])})" if report["not_read"] else ""
    fresh = f"{report['fresh']:,} {verb(report['fresh'], 'has', 'have')} a later record"
    counts = f"{counted(len(entities), 'entity')} may be stale; {fresh}{rest}; {how}"
    print_text(
        f"{name}: {counts}. Have their publisher send a complete event of each. What was created there, and not "
        "changed since, only the publisher knows"
    )
    for window in [window for window in windows if window["in_kafka"]][-NAMED:]:
        print_next(f"projector replay --topic {name} --from {window['from']} --to {window['to']}")
