"""`projector rebuild`: a dry run without --execute, which is a verify that tells what would be healed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations import lookup
from neon_projector.consumer.admin.rebuild.asked import Asked
from neon_projector.consumer.admin.rebuild.preview import preview
from neon_projector.consumer.admin.rebuild.rebuild import rebuild as run
from neon_projector.consumer.admin.rebuild.result import Result
from neon_projector.consumer.admin.rebuild.todo import Choice
from neon_projector.consumer.admin.verify.report import AHEAD
from neon_projector.consumer.admin.verify.wanted import TOO_MANY, Wanted, differing
from neon_projector.consumer.cli.by_topic import print_lines
from neon_projector.consumer.cli.database import DRY, ask, confirm, is_to_ask
from neon_projector.consumer.cli.output import print_json, print_next, print_table, print_text
from neon_projector.consumer.cli.streams import absolute
from neon_projector.consumer.cli.verify import STATUS, Bars, ahead_of_positions, do, known_entities, print_by_key
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.settings import Settings
from neon_projector.consumer.wording import counted, verb
from neon_projector.projections.registry import REGISTRY

MANY = 1_000
"""Entities; more than these want a second yes."""


def rebuild(
    wanted: Wanted, choice: Choice, from_verify: int | None, undo: Path | None, *, execute: bool, yes: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Heal, or tell what would be healed; returns the exit status. BadParameter for a wrong choice."""
    known_entities(wanted, from_verify, "--from-verify")
    where = absolute(undo or Path())
    if execute:
        Asked(wanted, choice, where).ensure_undo()

    async def work(engine: AsyncEngine, settings: Settings) -> Result:
        only = wanted if from_verify is None else await differing(engine, from_verify, wanted.max_rate)
        with Bars(as_json) as tell:
            if not execute:
                return await preview(engine, settings, REGISTRY, only, choice, tell)
            asked = Asked(only, choice, where, from_verify)
            return await run(engine, settings, REGISTRY, asked, tell, ask_first=is_to_ask(yes))

    result = do(work)
    if not execute:
        return _tell(result, as_json, partial(_say_plan, wanted=wanted), executed=False)
    if not result.finished:
        _confirm(result, as_json)
        return resume(result.operation, as_json)
    return _tell(result, as_json, _say)


def resume(number: int, as_json: bool) -> int:
    """Go on with one; returns the exit status."""

    async def work(engine: AsyncEngine, settings: Settings) -> Result:
        with Bars(as_json) as tell:
            return await run(engine, settings, REGISTRY, None, tell, number)

    return _tell(do(work), as_json, _say)


def _confirm(result: Result, as_json: bool) -> None:
    """Ask once, and twice where it is much. Without a yes it is cancelled."""
    if not as_json:
        _print_groups(result)
    try:
        confirm(f"heal {counted(result.chosen, 'entity')}?", yes=False)
        if result.chosen > MANY:
            confirm(f"these are more than {MANY:,}; really?", yes=False)
    except Refused:
        ask(lambda engine: lookup.cancel(engine, result.operation))
        raise


def _tell(result: Result, as_json: bool, say: Callable[[Result], None], **more: Any) -> int:
    """Print all of it as JSON, with `more`; or for people what was found, and where something differs what to `say` of
    it. Returns the exit status."""
    if as_json:
        print_json(result.as_json() | more)
    else:
        _print_groups(result)
        (say if result.differing else _print_equal)(result)
    return STATUS[result.verdict]


def _say_plan(result: Result, wanted: Wanted) -> None:
    of = f"of {counted(result.differing, 'entity')} that {verb(result.differing, 'differs', 'differ')}"
    print_text(f"{result.chosen:,} {of} would be healed: {DRY}")
    if wanted.ids:
        ids = " ".join(f"--id {one}" for one in wanted.ids)
        print_next(f"projector rebuild {ids}{' --by-key' if wanted.by_key else ''} --execute")
    elif result.differing <= TOO_MANY:
        print_next(f"projector rebuild --from-verify {result.operation} --execute")
    else:
        print_next("projector rebuild --execute")


def _say(result: Result) -> None:
    healed = f"{result.healed:,} of {counted(result.differing, 'entity')} healed"
    print_text(f"operation {result.operation} is done: {healed}")
    print_text(f"the service waited at most {result.waited:.1f} s in all")
    if result.moved:
        moved = f"{counted(result.moved, 'entity')} had moved on meanwhile, or others held them"
        print_text(f"{moved}; the next round looked again")
    if result.refused:
        print_text(f"the database refused {result.refused:,}, which stay as they were")
    if result.lost:
        print_text(f"of {result.lost:,} Kafka no longer has the records; they stay as they were")
    if result.undo:
        print_text("what was there before is in this file; it has content of events, so delete it when you can")
        print_next(f"projector undo {result.undo}", "To put it back")
    if result.left:
        print_text(f"{counted(result.left, 'entity')} {verb(result.left, 'differs', 'differ')} still")


def _print_groups(result: Result) -> None:
    rows = [group._asdict() | {"table": group.table.removeprefix("projector.")} for group in result.groups]
    if rows:
        print_table(rows)
    unproved = (f"{partition}; the tables can't be proved from it" for partition in result.unprovable)
    print_lines(unproved, every=False, rest="--json has all")
    if result.unproved:
        print_text(f"{result.unproved:,} that the topics can't prove stay as they are")
    print_lines(result.without_position, every=False, rest="--json has all")
    print_by_key(result)
    if result.ahead:
        print_text(ahead_of_positions(result.ahead))


def _print_equal(result: Result) -> None:
    said = {"unprovable": "all that could be read says the same", AHEAD: "nothing else differs"}
    print_text(said.get(result.verdict, "nothing differs"))
