"""How `projector explain` shows a story to people."""

from typing import Any

from neon_projector.consumer.cli.output import print_next, print_table, print_text

Row = dict[str, Any]

STORED = {
    "rows": ("entity", "version"),
    "aside": ("entity", "version", "reason", "waiting_for", "since", "error"),
    "parked": ("entity", "version", "type", "topic", "partition", "offset", "since"),
    "dead_letters": ("id", "topic", "partition", "offset", "reason", "error", "status", "created_at"),
}
"""What is printed of what the database has, in this order."""


def print_story(story: Row) -> None:
    """All of it, the conclusion last: it is what a person reads first at a terminal."""
    for name, columns in STORED.items():
        if story[name]:
            print_text(name.replace("_", " ").capitalize())
            print_table([{column: row[column] for column in columns} for row in story[name]])
    if story.get("records"):
        print_text("Its records, in order")
        print_table([_record(row) for row in story["records"]])
    elif len(story["timeline"]) > 1:
        print_text("In time")
        print_table(story["timeline"])
    print_conclusion(story)


def print_conclusion(story: Row) -> None:
    """The sentence, and the next commands."""
    print_text(f"{story['id']}: {story['conclusion']}")
    for command in story["next"]:
        print_next(command)


def _record(row: Row) -> Row:
    letter = f" (dead letter {row['dead_letter']})" if row["dead_letter"] else ""
    return {
        "at": row["at"],
        "record": f"{row['topic']}:{row['partition']} offset {row['offset']}",
        "event": row["type"] or "no event",
        "version": row["version"],
        "would be": row["would"],
        "changes": row["changes"],
        "is": f"{row['did']}{letter}",
    }


LISTED = 50
"""So many entities that may be stale are shown to people; `--json` has all of them."""


def print_stale(report: Row) -> None:
    """What `explain --partition` found."""
    name, windows, entities = report["partition"], report["windows"], report["may_be_stale"]
    if not windows:
        print_text(f"{name}: no record was left out, as far as it is known here")
        return
    print_table([{name: window[name] for name in ("from", "to", "at", "by", "in_kafka")} for window in windows])
    if entities:
        print_table(entities[:LISTED])
    how = f"keys are hashed by {report['keys']}" if report["keys"] else "how keys are hashed is not known, so all count"
    rest = f" ({'; '.join(report['not_read'])})" if report["not_read"] else ""
    shown = f"; {LISTED} of them are shown, --json has all" if len(entities) > LISTED else ""
    counts = f"{len(entities):,} entities may be stale{shown}; {report['fresh']:,} have a later record{rest}; {how}"
    print_text(
        f"{name}: {counts}. Have their publisher send a complete event of each. What was created there, and not "
        "changed since, only the publisher knows"
    )
    for window in windows:
        if window["in_kafka"]:
            print_next(f"projector replay --topic {name} --from {window['from']} --to {window['to']}")
