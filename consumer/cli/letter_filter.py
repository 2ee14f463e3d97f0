"""The options that choose dead letters: the same for every command about them."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any
from uuid import UUID

import typer

from neon_projector.consumer.admin.letters.filter import Filter
from neon_projector.consumer.cli.database import LAST
from neon_projector.consumer.cli.moment import moment
from neon_projector.projections.contract.outcome import Reason

Ids = Annotated[list[int] | None, typer.Argument(min=1, max=LAST, help="Numbers of dead letters.")]
Every = Annotated[bool, typer.Option("--all", help="All dead letters of status new.")]

OPTIONS: dict[str, Any] = {
    "reason": Annotated[
        Reason | None, typer.Option(metavar="REASON", help="Only those of this reason, such as invalid_data.")
    ],
    "source": Annotated[str | None, typer.Option(help="Only those of this CloudEvents source.")],
    "type": Annotated[str | None, typer.Option(help="Only those of this event type.")],
    "topic": Annotated[str | None, typer.Option(help="Only those of this topic.")],
    "entity": Annotated[UUID | None, typer.Option(metavar="ID", help="Only those of the entity with this id.")],
    "since": Annotated[
        str | None, typer.Option(metavar="TIME", help="Rejected at or after: 2026-11-22T12:00:00Z, or PT2H ago.")
    ],
    "until": Annotated[str | None, typer.Option(metavar="TIME", help="Rejected before: likewise.")],
}


def with_filter(command: Callable[..., None]) -> Callable[..., None]:
    """`command`, which takes `which: Filter`, as one that takes these options instead."""

    @wraps(command)
    def with_options(**given: Any) -> None:
        command(which=filter_of(**{name: given.pop(name) for name in OPTIONS}), **given)

    own = [p for p in signature(command).parameters.values() if p.name != "which"]
    more = [Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=of) for name, of in OPTIONS.items()]
    parameters = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in own] + more
    setattr(with_options, "__signature__", signature(command).replace(parameters=parameters))  # noqa: B010  mypy
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_options


def filter_of(reason: Reason | None, since: str | None, until: str | None, **plain: Any) -> Filter:
    """The filter that the options say."""
    first = None if since is None else moment("--since", since)
    last = None if until is None else moment("--until", until)
    if first and last and first >= last:
        raise typer.BadParameter(f"--since {since} is not before --until {until}")
    return Filter(reason=reason and reason.value, since=first, until=last, **plain)
