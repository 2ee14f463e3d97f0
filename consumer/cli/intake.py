"""`projector pause` and `projector resume`."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from consumer import intake_stops, operations
from consumer.cli.ask import AsJson, ask
from consumer.cli.show import print_json
from consumer.operate.again import until_no_conflict
from consumer.recovery import translated
from consumer.settings import Settings, load_settings

Topic = Annotated[str | None, typer.Option(help="Only this topic. Default: all.")]
Stops = dict[str, str]
"""Reasons by topic."""


def pause(topic: Topic = None, as_json: AsJson = False) -> None:
    """Stop intake, until `projector resume`, also across restarts."""
    settings, which = load_settings(), topic or intake_stops.ALL
    _check(settings, topic)
    _, stops = ask(lambda engine: until_no_conflict(lambda: _pause(engine, settings, which)))
    said = f"intake is paused: {_name(which)}; projector resume lets it go on"
    print_json({"stops": stops}) if as_json else typer.echo(said)


def resume(
    topic: Topic = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="The fuse has blown: take the rejections as they are.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let intake go on, after `projector pause` or a blown fuse. Exit status 1: nothing was stopped."""
    settings, which = load_settings(), topic or intake_stops.ALL
    _check(settings, topic)
    before, stops = ask(lambda engine: until_no_conflict(lambda: _resume(engine, settings, which, accept)))
    resumed = before != stops
    if as_json:
        print_json({"resumed": resumed, "stops": stops})
    elif stops:
        typer.echo(f"intake is still stopped: {', '.join(map(_name, stops))}")
    else:
        typer.echo(f"intake goes on within seconds: {_name(which)}" if resumed else "nothing was stopped")
    raise typer.Exit(0 if resumed else 1)


async def _pause(engine: AsyncEngine, settings: Settings, topic: str) -> tuple[Stops, Stops]:
    group = settings.kafka_group_id
    with translated():
        async with engine.begin() as connection:
            before = await _stops(connection, group)
            await intake_stops.stop(connection, group, topic, "paused", operations.actor())
            after = await _stops(connection, group)
            await operations.record(connection, "pause", before=before, after=after)
    return before, after


async def _resume(engine: AsyncEngine, settings: Settings, topic: str, accept: bool) -> tuple[Stops, Stops]:
    group = settings.kafka_group_id
    with translated():
        async with engine.begin() as connection:
            before = await _stops(connection, group)
            await intake_stops.resume(connection, group, topic)
            if accept:
                await intake_stops.stop(connection, group, topic, intake_stops.ACCEPTED, operations.actor())
            after = await _stops(connection, group)
            if accept or after != before:
                outcome = "rejections accepted" if accept else "done"
                await operations.record(connection, "resume", before=before, after=after, outcome=outcome)
    return before, after


async def _stops(connection: AsyncConnection, group: str) -> Stops:
    found = await intake_stops.read(connection, group)
    return {topic: reason for topic, reason in found.items() if reason != intake_stops.ACCEPTED}


def _check(settings: Settings, topic: str | None) -> None:
    known = sorted(set(settings.topics.values()))
    if topic is not None and topic not in known:
        raise typer.BadParameter(f"--topic {topic}: expected one of {', '.join(known)}")


def _name(topic: str) -> str:
    return "all topics" if topic == intake_stops.ALL else topic
