"""Stops intake and lets it go on: each stop is lifted by its own name. Returns what was done, and records it."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.operations import audit as operations
from neon_projector.consumer.admin.retry_conflicts import retry_conflicts
from neon_projector.consumer.offsets import intake_stops
from neon_projector.consumer.offsets.intake_stops import ACCEPTED, ALL, FUSE, Stop, by_topic
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings


class Resumed(NamedTuple):
    """What `projector resume` did."""

    lifted: list[Stop]
    exempt: list[Stop]
    """Stops of all topics that stay, but no longer hold the topic that was named."""
    left: list[Stop]
    """What is still stopped."""
    accepted: list[Stop]
    """Whose rejections are accepted from now on."""


async def pause(engine: AsyncEngine, settings: Settings, topic: str, message: str | None) -> list[Stop]:
    """Stop the intake of `topic` or of `ALL`; returns all stops there are then."""
    group = settings.kafka_group_id

    async def once() -> list[Stop]:
        with translated():
            async with engine.begin() as connection:
                before = await intake_stops.read(connection, group)
                await intake_stops.pause(connection, group, topic, operations.actor(), message)
                after = await intake_stops.read(connection, group)
                asked = {"group_id": group, "topic": topic}
                await _trace(connection, "pause", asked, before, after, "done", message)
        return [stop for stop in after if stop.reason != ACCEPTED]

    return await retry_conflicts(once)


async def resume(
    engine: AsyncEngine, settings: Settings, topic: str | None, message: str | None, *, accept: bool
) -> Resumed:
    """Lift stops: of `topic` all that hold it; without one the pause of all topics and every blown fuse.

    A pause of one topic is lifted by its name only. With `accept` the fuse lets through what blew it, for a time.
    """
    group = settings.kafka_group_id

    async def once() -> Resumed:
        with translated():
            async with engine.begin() as connection:
                before = await intake_stops.read(connection, group)
                lifted, exempt = _to_lift(before, topic)
                await intake_stops.lift(connection, group, lifted)
                for stop in exempt:
                    assert topic is not None
                    await intake_stops.except_topic(connection, group, stop, topic)
                for one in _to_accept(settings, lifted, topic) if accept else ():
                    await intake_stops.accept(connection, group, one, operations.actor(), message)
                after = await intake_stops.read(connection, group)
                if lifted or exempt or accept:
                    outcome = "rejections accepted" if accept else "done"
                    asked = {"group_id": group, "topic": topic}
                    await _trace(connection, "resume", asked, before, after, outcome, message)
        accepted = [stop for stop in after if stop.reason == ACCEPTED] if accept else []
        return Resumed(lifted, exempt, [stop for stop in after if stop.reason != ACCEPTED], accepted)

    return await retry_conflicts(once)


async def end_accept(engine: AsyncEngine, settings: Settings, topic: str | None, message: str | None) -> list[Stop]:
    """Accept no rejections any more, of `topic` or of all topics; returns what was accepted. Lifts no stop."""
    group = settings.kafka_group_id

    async def once() -> list[Stop]:
        with translated():
            async with engine.begin() as connection:
                before = await intake_stops.read(connection, group)
                ended = [stop for stop in before if stop.reason == ACCEPTED and topic in (None, stop.topic)]
                if ended:
                    await intake_stops.end_accept(connection, group, ended)
                    asked, outcome = {"group_id": group, "topic": topic}, "rejections no longer accepted"
                    await _trace(connection, "resume", asked, before, before, outcome, message)
        return ended

    return await retry_conflicts(once)


def _to_lift(stops: list[Stop], topic: str | None) -> tuple[list[Stop], list[Stop]]:
    if topic is None:
        return [stop for stop in stops if stop.reason == FUSE or (stop.reason != ACCEPTED and stop.topic == ALL)], []
    holding = [stop for stop in stops if stop.holds(topic)]
    return [s for s in holding if s.topic != ALL], [s for s in holding if s.topic == ALL]


def _to_accept(settings: Settings, lifted: list[Stop], topic: str | None) -> list[str]:
    """The topic that was named, else those whose fuse had blown, else all."""
    every = sorted(set(settings.topics.values()))
    if topic is not None:
        return [topic]
    blown = [stop.topic for stop in lifted if stop.reason == FUSE]
    return every if ALL in blown or not blown else blown


async def _trace(
    connection: AsyncConnection, command: str, asked: Mapping[str, str | None], before: list[Stop], after: list[Stop],
    outcome: str, message: str | None,
) -> None:  # fmt: skip
    said, stops = outcome if message is None else f"{outcome}: {message}", (by_topic(before), by_topic(after))
    await operations.record(connection, command, before=stops[0], after=stops[1], outcome=said, filter=asked)
