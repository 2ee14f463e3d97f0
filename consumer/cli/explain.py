"""`projector explain`."""

from typing import Annotated, Any
from uuid import UUID

import typer

from neon_projector.consumer.admin.explain.story import SEARCH_SECONDS
from neon_projector.consumer.admin.explain.story import explain as run_explain
from neon_projector.consumer.cli.database import AsJson, ask
from neon_projector.consumer.cli.output import print_json, print_table, print_text
from neon_projector.consumer.environment import load_settings
from neon_projector.projections.registry import REGISTRY

STORED = {
    "rows": ("entity", "version"),
    "aside": ("entity", "version", "reason", "waiting_for", "since", "error"),
    "parked": ("entity", "version", "type", "topic", "partition", "offset", "since"),
    "dead_letters": ("id", "topic", "partition", "offset", "reason", "error", "status", "created_at"),
}
"""What is printed of what the database has, in this order."""


def explain(
    entity_id: UUID,
    search_seconds: Annotated[
        float,
        typer.Option(
            min=0, help="Seconds to search the topics, if the database does not know the entity. 0: no search."
        ),
    ] = SEARCH_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Say why an entity is there or not: its row or tombstone, what it waits for, what was rejected, what to do.

    Exit status 1: something of it waits, was rejected, or is gone without an event.
    """
    settings = load_settings()
    story = ask(lambda engine: run_explain(engine, REGISTRY, settings, entity_id, search_seconds))
    print_json(story) if as_json else _print(story)
    raise typer.Exit(1 if story["waits"] else 0)


def _print(story: dict[str, Any]) -> None:
    for name, columns in STORED.items():
        if story[name]:
            print_text(name.replace("_", " ").capitalize())
            print_table([{column: row[column] for column in columns} for row in story[name]])
    if len(story["timeline"]) > 1:
        print_text("In time")
        print_table(story["timeline"])
    print_text(f"{story['id']}: {story['conclusion']}")
    for command in story["next"]:
        print_text(f"Next: {command}")
