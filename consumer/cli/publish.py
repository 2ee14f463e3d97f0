"""`projector publish`: events from a file, checked as the service reads them, then sent."""

from dataclasses import asdict
from shlex import quote
from typing import IO, Annotated

import typer

from neon_projector.consumer.admin.publish import publish as run
from neon_projector.consumer.admin.publish.lines import STDIN, NotLines, opened
from neon_projector.consumer.admin.publish.message import Mode
from neon_projector.consumer.admin.publish.sending import Sent
from neon_projector.consumer.cli.database import LAST, MOST, AsJson, interruptible
from neon_projector.consumer.cli.output import print_json, print_text
from neon_projector.consumer.cli.progress import progress
from neon_projector.consumer.environment import load_event_settings, load_kafka_settings
from neon_projector.consumer.errors import ProjectorError
from neon_projector.consumer.wording import counted
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.words.find import words_of
from neon_projector.projections.registry import REGISTRY

SHOWN = 100
"""Problems that a person is shown; --json has all."""
NOTHING = "events, a line each; nothing came. With `docker run`, standard input needs -i"


def publish(
    file: Annotated[
        str | None, typer.Argument(help="Events in JSON lines, or exported dead letters; -: standard input.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check; needs no server and no settings.")] = False,
    mode: Annotated[Mode, typer.Option(help="CloudEvents' content mode.")] = Mode.STRUCTURED,
    rate: Annotated[float | None, typer.Option(min=0.01, max=MOST, help="Events a second, at most.")] = None,
    from_line: Annotated[
        int, typer.Option(min=1, max=LAST, help="Publish from this line on; all lines are checked.")
    ] = 1,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out lines that have a problem.")] = False,
    explain: Annotated[
        Reason | None,
        typer.Option(metavar="REASON", help="Say only what a reason means, how it comes about, and what to do."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check each event of a file as the service reads it, and publish them, if none has a problem.

    Each record is keyed by the entity's id, and goes where Java's client sends it.
    Sending a line twice changes nothing. Warnings keep nothing back.

    Exit status 1: a line has a problem. Without --skip-bad nothing is published then.
    """
    if (file is None) == (explain is None):
        raise typer.BadParameter("give a file, or --explain", param_hint="FILE")
    if explain is not None:
        _explain(explain, as_json)
        return
    assert file is not None
    with _opened(file) as source:
        found = _check(file, source, as_json)
        _say(file, found, as_json)
        bad = {line for line in found.bad if check or line >= from_line}
        published = None
        if not check and (skip_bad or not bad):
            words = [quote(file), "--mode", mode, *(["--rate", f"{rate:g}"] if rate else [])]
            words += ["--skip-bad"] if skip_bad else []
            published = _send(" ".join(words), source, run.Way(mode, rate, from_line), found.events, as_json)
        _end(found, published, as_json, kept_back=not check and published is None)
    raise typer.Exit(1 if bad else 0)


def check(
    file: Annotated[
        str, typer.Argument(help="Events in JSON lines, or exported dead letters; -: standard input.")
    ] = STDIN,
    as_json: AsJson = False,
) -> None:
    """Check each event of a file, or of standard input, as the service reads it: `publish --check`.

    It needs no server and no settings.

    Exit status 1: a line has a problem. 2: no event came at all.
    """
    with _opened(file) as source:
        found = _check(file, source, as_json)
    if not found.lines:
        raise typer.BadParameter(NOTHING, param_hint="FILE")
    _say(file, found, as_json)
    _end(found, None, as_json, kept_back=False)
    raise typer.Exit(1 if found.bad else 0)


def _explain(reason: Reason, as_json: bool) -> None:
    for word in words_of(reason):
        if as_json:
            print_json({"reason": reason, "said": word.shape, "cause": word.cause, "mend": word.mend})
        else:
            for text in (word.shape, f"    {word.cause}", f"    {word.mend}"):
                print_text(text)


def _opened(name: str) -> IO[bytes]:
    try:
        return opened(name)
    except OSError as error:
        raise typer.BadParameter(f"{name}: {error.strerror}", param_hint="FILE") from None


def _check(name: str, source: IO[bytes], quiet: bool) -> run.Checked:
    settings = load_event_settings()
    try:
        with progress("checking", quiet=quiet) as bar:
            return run.check(source, REGISTRY, settings, bar)
    except NotLines as error:
        raise typer.BadParameter(f"{name}: {error}", param_hint="FILE") from None


def _send(words: str, source: IO[bytes], way: run.Way, events: int, quiet: bool) -> int:
    """How many were published. Where it ends with an error, the command that goes on is said, with these `words`."""
    settings, sent = load_kafka_settings(), Sent()
    with progress("publishing", None if way.from_line > 1 else events, quiet=quiet) as bar:
        try:
            interruptible(lambda: run.publish(source, REGISTRY, settings, way, sent, bar))
        except (ProjectorError, KeyboardInterrupt) as error:
            go_on = f"projector publish {words} --from-line {max(sent.line + 1, way.from_line)}"
            for note in (f"{sent.number:,} published", f"Next: {go_on}"):
                if isinstance(error, ProjectorError):
                    error.add_note(note)
                else:
                    typer.echo(note, err=True)
            raise
    if not sent.idempotent and not quiet:
        print_text(
            "This broker has no idempotent producers (the demo's has none): after a retry an event may be in the topic "
            "twice. The tables stay the same."
        )
    return sent.number


def _say(name: str, found: run.Checked, as_json: bool) -> None:
    for one in found.problems if as_json else found.problems[:SHOWN]:
        if as_json:
            print_json({"file": name, **asdict(one)})
            continue
        kind = f"warning: {one.reason}" if one.warning else one.reason
        clash = f" (line {one.other_line})" if one.other_line else ""
        print_text(f"{name}:{one.line}: {kind}: {one.said}{clash}")
        print_text(f"    {one.mend}")
    if not as_json and (more := len(found.problems) - SHOWN) > 0:
        print_text(f"and {more:,} more: --json has all")


def _end(found: run.Checked, published: int | None, as_json: bool, *, kept_back: bool) -> None:
    warnings = sum(problem.warning for problem in found.problems)
    counts = {"line": found.lines, "event": found.events, "bad line": len(found.bad), "warning": warnings}
    if as_json:
        told = {f"{name.replace(' ', '_')}s": number for name, number in counts.items()}
        print_json(told | {"published": published})
        return
    said = ", ".join(counted(number, name) for name, number in counts.items())
    print_text(said if published is None else f"{said}, {published:,} published")
    if kept_back:
        print_text("nothing was published: a line has a problem; --skip-bad leaves such lines out")
