"""`projector parked list/retry/discard`."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from neon_projector.consumer.admin import parked
from neon_projector.consumer.cli.database import DRY, AsJson, Execute, Limit, Yes, ask, confirm
from neon_projector.consumer.cli.examples import AN_ID, examples
from neon_projector.consumer.cli.moment import moment
from neon_projector.consumer.cli.output import print_first, print_json, print_next, print_table, print_text
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import Refused
from neon_projector.projections.registry import REGISTRY

MOST = 20
"""So many are listed, unless --limit says otherwise."""

app = typer.Typer(help="Events and states that wait.", no_args_is_help=True, epilog=examples("parked list"))


class Reason(StrEnum):
    """Why something waits."""

    NO_BASE = "no_base"
    NO_PARENT = "no_parent"
    CONTESTED = "contested"
    REFUSED = "refused"


OfTopic = Annotated[str | None, typer.Option(help="Only what came from this topic.")]
OfReason = Annotated[Reason | None, typer.Option(help="Only what waits for this reason.")]
WaitingFor = Annotated[UUID | None, typer.Option(metavar="ID", help="Only what waits for this entity.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Waiting since then or later: a time, or PT2H ago.")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Waiting since before then: likewise.")]


@app.command("list", epilog=examples("parked list --until PT1H", f"parked list --waiting-for {AN_ID}"))
def list_parked(
    topic: OfTopic = None, reason: OfReason = None, waiting_for: WaitingFor = None, since: Since = None,
    until: Until = None, limit: Limit = MOST, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List what waits, the longest first."""
    which = parked.Waits(
        topic,
        reason and reason.value,
        waiting_for,
        None if since is None else moment("--since", since),
        None if until is None else moment("--until", until),
    )
    topics = load_settings().topics
    rows = ask(lambda engine: parked.listed(engine, REGISTRY, topics, which, limit))
    if as_json:
        print_json(rows)
        return
    print_table(rows)
    if len(rows) == limit:
        print_text("there may be more: --limit lists more, projector status counts them")
    if rows:
        print_next(f"projector explain {rows[0]['id']}")


@app.command(epilog=examples(f"parked retry {AN_ID}", "parked retry --all --execute"))
def retry(
    ids: Annotated[list[UUID] | None, typer.Argument(help="Only these entities.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that the database refused.")] = False,
    execute: Execute = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Apply once more what the database refused (reason `refused`). Exit status 1: some of it is refused again."""
    if bool(ids) == every:
        raise typer.BadParameter("name ids, or say --all")
    if execute:
        confirm("retry what the database refused?", yes)
    done = ask(lambda engine: parked.retry(engine, REGISTRY, ids or (), every=every, execute=execute))
    if not done:
        raise Refused("nothing of it was refused by the database")
    rows = [asdict(one) for one in done]
    if as_json:
        print_json({"executed": execute, "tried": rows})
    else:
        print_first(rows, MOST, "--json has all")
        shown = sum(one.outcome == "shown" for one in done)
        print_text(f"{shown:,} of {len(done):,} shown" if execute else f"{shown:,} of {len(done):,} to show: {DRY}")
    raise typer.Exit(1 if any(one.outcome == "refused" for one in done) else 0)


@app.command(epilog=examples(f"parked discard {AN_ID}", f"parked discard {AN_ID} --execute"))
def discard(entity_id: UUID, execute: Execute = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete what waits of this entity: its parked events and its waiting state. Tombstones stay."""
    if execute:
        confirm(f"discard what waits of {entity_id}?", yes)
    found = ask(lambda engine: parked.discard(engine, entity_id, execute=execute))
    if not found:
        raise Refused(f"nothing waits of {entity_id}")
    if as_json:
        print_json({"executed": execute, "discarded": len(found), "waited": found})
        return
    rows = [{name: row[name] for name in ("entity", "version", "reason", "topic", "offset")} for row in found]
    print_first(rows, MOST, "--json has all")
    print_text(f"{len(found):,} discarded" if execute else f"{len(found):,} to discard: {DRY}")
