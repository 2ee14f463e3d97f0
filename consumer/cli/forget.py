"""`projector forget`: erases what is stored of a person. A dry run without --execute."""

from typing import Annotated
from uuid import UUID

import typer

from neon_projector.consumer.admin.explain.story import SEARCH_SECONDS
from neon_projector.consumer.admin.forget import Forgotten
from neon_projector.consumer.admin.forget import forget as run_forget
from neon_projector.consumer.admin.kafka_holds import Held, held
from neon_projector.consumer.cli.database import DRY, MOST, AsJson, Execute, Yes, ask, confirm
from neon_projector.consumer.cli.output import print_json, print_text
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.wording import counted
from neon_projector.projections.registry import REGISTRY


def forget(
    entity_id: UUID,
    search_seconds: Annotated[
        float,
        typer.Option(min=0, max=MOST, help="How long to search the topics for what Kafka still holds; 0: not at all."),
    ] = SEARCH_SECONDS,
    execute: Execute = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Erase what is stored of a person beside the tables: it cannot be undone.

    That is the content of dead letters, parked events, states kept aside (also those hidden or waiting because of
    this id), edited values in projector.operations, and what undo files of rebuilds on this machine have of it. Refused
    while the entity is shown: its publisher deletes it first. The answer says what Kafka still holds, and until when.
    """
    settings = load_settings()
    if execute:
        confirm(f"erase what is stored of {entity_id}? it cannot be undone", yes)
    done = ask(lambda engine: run_forget(engine, REGISTRY, entity_id, execute=execute))
    in_kafka, gaps = ask(lambda engine: held(engine, settings, REGISTRY, done.ids, search_seconds))
    if as_json:
        elsewhere = [one._asdict() for one in done.undo_elsewhere]
        counts = done._asdict() | {"ids": [str(one) for one in done.ids], "undo_elsewhere": elsewhere}
        print_json({"executed": execute, **counts, "kafka": [one._asdict() for one in in_kafka], "not_read": gaps})
        return
    print_text(f"{_said(done)}{'' if execute else f': {DRY}'}")
    for file in done.undo_elsewhere:
        print_text(f"not on this machine: {file.path}, written by operation {file.operation} ({file.actor}); delete it")
    for one in in_kafka:
        print_text(_of_topic(one))
    for gap in gaps:
        print_text(f"Kafka may hold more: {gap}")


def _said(done: Forgotten) -> str:
    more = f", of {counted(len(done.ids), 'entity')}" if len(done.ids) > 1 else ""
    letters, parked = counted(done.letters, "dead letter"), counted(done.parked_events, "parked event")
    aside, edited = counted(done.absent_states, "state"), counted(done.edited_values, "edited value")
    undo = f", {counted(done.undo_lines, 'line')} of undo files" if done.undo_lines else ""
    return f"{letters}, {parked}, {aside} kept aside, {edited}{undo}{more}"


def _of_topic(one: Held) -> str:
    if not one.records:
        return f"Kafka: no event of it in {one.topic} ({one.why})"
    until = "for ever, or until somebody deletes them" if one.until is None else f"until {one.until} or a little longer"
    return f"Kafka: {counted(one.records, 'event')} of it in {one.topic}, {until} ({one.why})"
