"""`projector dead-letters discard`: a dry run without --execute. Why is asked for, and kept."""

from collections import Counter
from typing import Annotated

import typer

from neon_projector.consumer.admin.letters import discard as letters
from neon_projector.consumer.admin.letters.filter import Filter
from neon_projector.consumer.admin.letters.lookup import chosen
from neon_projector.consumer.admin.letters.superseded import Superseded
from neon_projector.consumer.cli.choice import choose
from neon_projector.consumer.cli.database import AsJson, Execute, Yes, ask, confirm
from neon_projector.consumer.cli.letter_filter import Every, Ids, with_filter
from neon_projector.consumer.cli.output import print_first, print_json, print_text
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.wording import counted
from neon_projector.projections.registry import REGISTRY

DRY_WHY = 'a dry run: nothing is changed; --execute --why "…" does it'
SHOWN = 20
"""Letters that a table names one by one."""

Why = Annotated[str | None, typer.Option(help="Why, kept in projector.operations. Needed with --execute.")]
OnlySuperseded = Annotated[
    bool, typer.Option("--superseded", help="Of these, only those whose entity has gone past them by other events.")
]


@with_filter
def discard(
    which: Filter, ids: Ids = None, every: Every = False, only_superseded: OnlySuperseded = False, why: Why = None,
    execute: Execute = False, yes: Yes = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Mark dead letters as discarded. They stay in the table, and are not tried again.

    --superseded takes each letter whose entity is at the letter's version or a later one, or, where the letter's
    version cannot be read, was changed after it came and misses no version.
    """
    if execute and not (why or "").strip():
        raise typer.BadParameter("--execute needs --why")
    which = choose(which, ids, every or (only_superseded and not which.given and not ids))
    if only_superseded:
        _superseded(which, why or "", execute, yes, as_json)
        return
    found = ask(lambda engine: chosen(engine, which))
    if not found.number:
        raise Refused("there is no such new dead letter")
    if execute:
        confirm(f"discard {counted(found.number, 'dead letter')}?", yes)
        found = ask(lambda engine: letters.discard(engine, which, found.last, why or ""))
    if as_json:
        print_json({"executed": execute, "discarded": found.number, "first": found.first, "last": found.last})
    else:
        print_text(f"{found.number:,} discarded" if execute else f"{found.number:,} to discard: {DRY_WHY}")


def _superseded(which: Filter, why: str, execute: bool, yes: bool, as_json: bool) -> None:
    topics = load_settings().topics

    def give_up(execute: bool) -> list[Superseded]:
        return ask(lambda engine: letters.discard_superseded(engine, REGISTRY, topics, which, why, execute=execute))

    found = give_up(False)
    if not found:
        raise Refused(
            "no letter is known to be superseded: its entity has not come to its version yet, or the letter has no "
            "readable version; without --superseded all of them are taken"
        )
    if execute:
        confirm(f"discard {counted(len(found), 'superseded dead letter')}?", yes)
        found = give_up(True)
    because = Counter(one.because for one in found)
    if as_json:
        counts = {"executed": execute, "discarded": len(found), "because": because}
        print_json({**counts, "letters": [one._asdict() for one in found]})
        return
    if found:
        print_first([{"id": one.id, "why": _sentence(one)} for one in found], SHOWN, "--json has all")
    words = {"passed": "whose entity has come to their version", "changed_since": "whose entity was changed since"}
    said = ", ".join(f"{number:,} {words[name]}" for name, number in because.most_common())
    print_text(f"{len(found):,} {'discarded' if execute else 'to discard'}: {said if execute else DRY_WHY}")


def _sentence(one: Superseded) -> str:
    """Why this letter is superseded."""
    whose = f"{one.entity} {one.entity_id}"
    if one.because == "passed":
        return f"{whose} is at version {one.at_version}, the letter has version {one.version}"
    return f"{whose} was changed after the letter came (version {one.at_version}), and misses no version"
