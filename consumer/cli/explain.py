"""`projector explain`."""

from uuid import UUID

from consumer.cli.ask import AsJson, ask
from consumer.cli.show import print_json, print_table, print_text
from consumer.operate.explain import explain as run_explain
from projections.registry import REGISTRY

TABLES = ("rows", "aside", "parked", "dead_letters")


def explain(entity_id: UUID, as_json: AsJson = False) -> None:
    """Why is it (not) there: row, tombstone, what it waits for, missing versions, dead letters."""
    story = ask(lambda engine: run_explain(engine, REGISTRY, entity_id))
    if as_json:
        print_json(story)
        return
    for name in TABLES:
        if story[name]:
            print_text(name.replace("_", " "))
            print_table(story[name])
    print_text(f"{entity_id}: {story['conclusion']}")
