"""`projector explain`."""

from typing import Annotated
from uuid import UUID

import typer

from neon_projector.consumer.admin.explain import SEARCH_SECONDS
from neon_projector.consumer.admin.explain import explain as run_explain
from neon_projector.consumer.cli.database import AsJson, ask
from neon_projector.consumer.cli.output import print_json, print_table, print_text
from neon_projector.consumer.environment import load_settings
from neon_projector.projections.registry import REGISTRY

TABLES = ("rows", "aside", "parked", "dead_letters")


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
    """Why an entity is (not) there: row, tombstone, what it waits for, missing versions, dead letters."""
    settings = load_settings()
    story = ask(lambda engine: run_explain(engine, REGISTRY, settings, entity_id, search_seconds))
    if as_json:
        print_json(story)
        return
    for name in TABLES:
        if story[name]:
            print_text(name.replace("_", " "))
            print_table(story[name])
    print_text(f"{entity_id}: {story['conclusion']}")
