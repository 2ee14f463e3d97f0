"""`projector pause` and `projector resume`."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from neon_projector.consumer.admin import pause as stops
from neon_projector.consumer.admin.pause import Resumed
from neon_projector.consumer.cli.database import AsJson, ask
from neon_projector.consumer.cli.output import print_json, print_text
from neon_projector.consumer.cli.times import ago
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.offsets.intake_stops import ACCEPTED, ALL, Stop, by_topic, lifted_by, said_topic, words
from neon_projector.consumer.settings import Settings

Topic = Annotated[str | None, typer.Option(help="Only this topic. Default: all.")]
Message = Annotated[
    str | None, typer.Option(help="Why. Shown in the log and in `projector status`, kept in `projector.operations`.")
]


def pause(topic: Topic = None, message: Message = None, as_json: AsJson = False) -> None:
    """Stop intake until `projector resume`, also across restarts."""
    settings, which = load_settings(), topic or ALL
    _check(settings, topic)
    after = ask(lambda engine: stops.pause(engine, settings, which, words(message)))
    said = f"intake is paused: {said_topic(which)}; {lifted_by(which)} lets it go on"
    print_json({"stops": by_topic(after), "details": details(after)}) if as_json else print_text(said)


def resume(
    topic: Topic = None,
    accept: Annotated[
        bool | None,
        typer.Option(
            "--accept/--no-accept",
            help="After a blown fuse: accept all rejections for ten minutes. --no-accept ends that early, and does "
            "nothing else.",
            show_default=False,
        ),
    ] = None,
    message: Message = None,
    as_json: AsJson = False,
) -> None:
    """Continue intake after `projector pause` or a blown fuse. Exit status 1: there was nothing to lift.

    Without --topic it lifts the pause of all topics and every blown fuse, but no pause made with --topic. With --topic
    that topic goes on, also while all others are paused.
    """
    settings = load_settings()
    _check(settings, topic)
    if accept is False:
        raise typer.Exit(_end_accept(settings, topic, message, as_json))
    done = ask(lambda engine: stops.resume(engine, settings, topic, words(message), accept=bool(accept)))
    resumed = bool(done.lifted or done.exempt or done.accepted)
    if as_json:
        told = {name: details(found) for name, found in done._asdict().items()}
        print_json({"resumed": resumed, "stops": by_topic(done.left), **told})
    else:
        for line in _said(done, topic, resumed):
            print_text(line)
    raise typer.Exit(0 if resumed else 1)


def _end_accept(settings: Settings, topic: str | None, message: str | None, as_json: bool) -> int:
    """Say whose rejections are no longer accepted; returns the exit status."""
    ended = ask(lambda engine: stops.end_accept(engine, settings, topic, words(message)))
    if as_json:
        print_json({"ended": details(ended)})
    else:
        for stop in ended:
            print_text(f"rejections of {said_topic(stop.topic)} are no longer accepted: the fuse is on again")
        if not ended:
            print_text("no rejections are accepted at the moment")
    return 0 if ended else 1


def details(found: Iterable[Stop]) -> list[dict[str, Any]]:
    """Stops, or what is accepted, for programs."""
    names = ("topic", "reason", "actor", "since", "message", "until", "except_topics")
    return [{name: getattr(stop, name) for name in names} for stop in found]


def described(stop: Stop, is_: str = "is") -> str:
    """One stop, or what is accepted, for people; with `was` one that is lifted."""
    who = "" if stop.actor is None else f" by {stop.actor}"
    why = "" if stop.message is None else f" ({stop.message})"
    but = f", but {', '.join(stop.except_topics)}" if stop.except_topics else ""
    if stop.reason == ACCEPTED:
        assert stop.until is not None
        return f"rejections of {said_topic(stop.topic)} are accepted{who}{why}; this ends {ago(stop.until)}"
    return f"intake of {said_topic(stop.topic)}{but} {is_} stopped: {stop.reason} {ago(stop.since)}{who}{why}"


def _said(done: Resumed, topic: str | None, resumed: bool) -> Iterable[str]:
    for stop in done.lifted:
        yield f"lifted: {described(stop, 'was')}"
    for stop in done.exempt:
        yield f"{topic} goes on; {described(stop)}"
    for stop in done.accepted:
        yield described(stop)
    if done.lifted or done.exempt:
        yield "intake goes on within seconds"
    for stop in done.left:
        if stop not in done.exempt:
            yield f"still stopped: {described(stop)}; {lifted_by(stop.topic)} lets it go on"
    if not resumed:
        yield "nothing was lifted" if done.left else "nothing was stopped"


def _check(settings: Settings, topic: str | None) -> None:
    known = sorted(set(settings.topics.values()))
    if topic is not None and topic not in known:
        raise typer.BadParameter(f"--topic {topic}: expected one of {', '.join(known)}")
