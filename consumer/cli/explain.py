"""`projector explain`: of one id, of those with a value such as `--email`, or of a partition that lost records."""

import inspect
from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import typer
from aiokafka import TopicPartition

from neon_projector.consumer.admin.explain.find import find
from neon_projector.consumer.admin.explain.stale import stale
from neon_projector.consumer.admin.explain.story import FROM_TOPIC_SECONDS, SEARCH_SECONDS
from neon_projector.consumer.admin.explain.story import explain as run_explain
from neon_projector.consumer.cli.database import MOST, AsJson, ask
from neon_projector.consumer.cli.explained import print_conclusion, print_stale, print_story
from neon_projector.consumer.cli.output import print_json, print_next, print_table, print_text
from neon_projector.consumer.cli.progress import progress
from neon_projector.consumer.cli.scope import scope_of
from neon_projector.consumer.environment import load_settings
from neon_projector.projections.registry import REGISTRY

SEARCH_HELP = (
    f"Seconds to search the topics at most; 0: no search. Default: {SEARCH_SECONDS:.0f}, with --from-topic "
    f"or --partition {FROM_TOPIC_SECONDS:.0f}."
)
EXPLAINED = 5
"""So many entities with the same value are explained; more are listed."""


def explain(
    entity_id: Annotated[UUID | None, typer.Argument(help="The id of one entity.")] = None,
    from_topic: Annotated[
        bool, typer.Option("--from-topic", help="Read its records from Kafka, and show what each would do, and did.")
    ] = False,
    partition: Annotated[
        str | None, typer.Option(help="t:0: what may be stale because records of this partition were never read.")
    ] = None,
    search_seconds: Annotated[float | None, typer.Option(min=0, max=MOST, help=SEARCH_HELP)] = None,
    as_json: AsJson = False,
    **sought: str | None,
) -> None:
    """Say why an entity is there or not: its row or tombstone, what it waits for, what was rejected, what to do.

    Exit status 1: something of it waits, was rejected, or is gone without an event.
    """
    given = {column: value for column, value in sought.items() if value is not None}
    if (entity_id is not None) + (partition is not None) + len(given) != 1:
        raise typer.BadParameter(f"give one: an id, --partition, or {' or '.join(f'--{name}' for name in _sought())}")
    default = FROM_TOPIC_SECONDS if from_topic or partition else SEARCH_SECONDS
    seconds = default if search_seconds is None else search_seconds
    if partition is not None:
        report = _stale(partition, seconds, as_json)
        print_json(report) if as_json else print_stale(report)
        raise typer.Exit(1 if report["windows"] else 0)
    if entity_id is not None:
        story = _story(entity_id, seconds, from_topic, as_json)
        print_json(story) if as_json else print_story(story)
        raise typer.Exit(1 if story["waits"] else 0)
    ((column, value),) = given.items()
    if not value:  # it would be in every letter
        raise typer.BadParameter(f"--{column} is empty")
    settings = load_settings()
    found = ask(lambda engine: find(engine, settings, REGISTRY, column, value))
    ids = list(dict.fromkeys(row["id"] for row in found["found"]))
    found["stories"] = [_story(one, seconds, from_topic, as_json) for one in ids] if len(ids) <= EXPLAINED else []
    print_json(found) if as_json else _print_found(column, found)
    waits = found["dead_letters"] or any(story["waits"] for story in found["stories"])
    raise typer.Exit(1 if waits else 0)


def _story(entity_id: UUID, seconds: float, from_topic: bool, quiet: bool) -> dict[str, Any]:
    settings = load_settings()
    with progress("reading the topics", quiet=quiet or not from_topic) as bar:
        return ask(
            lambda engine: run_explain(
                engine, REGISTRY, settings, entity_id, seconds, from_topic=from_topic, progress=bar
            )
        )


def _stale(name: str, seconds: float, quiet: bool) -> dict[str, Any]:
    settings = load_settings()
    scope = scope_of(sorted(set(settings.topics.values())), [name], option="--partition")
    ((topic, numbers),) = scope.items()
    if numbers is None or len(numbers) != 1:
        raise typer.BadParameter(f"--partition {name}: expected one partition, such as {topic}:0")
    partition = TopicPartition(topic, *numbers)
    with progress("reading the partition", quiet=quiet) as bar:
        return ask(lambda engine: stale(engine, REGISTRY, settings, partition, seconds, bar))


def _print_found(column: str, found: dict[str, Any]) -> None:
    if not found["found"]:
        print_text(f"nothing that is stored has this {column}")
    elif len(found["stories"]) == 1:
        print_story(found["stories"][0])
    else:
        print_table(found["found"])
        for story in found["stories"]:
            print_conclusion(story)
    if letters := found["dead_letters"]:
        names = ", ".join(str(letter["id"]) for letter in letters)
        print_text(f"rejected records that name this {column}: dead letters {names}")
        print_next(f"projector dead-letters show {letters[0]['id']}")


def _sought() -> dict[str, str]:
    """The columns that are options, each with the entity that has it."""
    return {column: projection.entity for projection in REGISTRY for column in projection.sought}


def _options() -> Iterator[inspect.Parameter]:
    """The parameters that typer is to see: for each column that is sought one of its own."""
    for name, parameter in inspect.signature(explain).parameters.items():
        if name != "sought":
            yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    for column, entity in _sought().items():
        help_ = f"The {entity}s that have, want or wait for this {column}."
        annotation = Annotated[str | None, typer.Option(f"--{column.replace('_', '-')}", help=help_)]
        yield inspect.Parameter(column, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


explain.__signature__ = inspect.Signature(list(_options()))  # type: ignore[attr-defined]  # PEP 362 allows it
