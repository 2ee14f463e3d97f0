"""`projector pause` and `projector resume`."""

import asyncio

import typer

from consumer import intake_stops, operations
from consumer.recovery import translated
from consumer.settings import Settings, load_settings
from models.engine import create_engine


def pause(topic: str | None) -> int:
    """Stop intake; returns the exit status."""
    return asyncio.run(_pause(load_settings(), topic or intake_stops.ALL))


def resume(topic: str | None, *, accept: bool) -> int:
    """Let intake go on; returns the exit status: 1 where nothing was stopped."""
    return asyncio.run(_resume(load_settings(), topic or intake_stops.ALL, accept))


async def _pause(settings: Settings, topic: str) -> int:
    engine = create_engine(settings)
    try:
        with translated():
            async with engine.begin() as connection:
                await intake_stops.stop(connection, settings.kafka_group_id, topic, "paused", operations.actor())
    finally:
        await engine.dispose()
    typer.echo(f"intake is paused: {_name(topic)}; projector resume lets it go on")
    return 0


async def _resume(settings: Settings, topic: str, accept: bool) -> int:
    engine = create_engine(settings)
    try:
        with translated():
            async with engine.begin() as connection:
                stops = await intake_stops.resume(connection, settings.kafka_group_id, topic)
                if accept:
                    reason = intake_stops.ACCEPTED
                    await intake_stops.stop(connection, settings.kafka_group_id, topic, reason, operations.actor())
    finally:
        await engine.dispose()
    typer.echo(f"intake goes on within seconds: {_name(topic)}" if stops else "nothing was stopped")
    return 0 if stops else 1


def _name(topic: str) -> str:
    return "all topics" if topic == intake_stops.ALL else topic
