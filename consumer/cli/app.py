"""The commands. Each only reads its options and calls the part that does the work."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from neon_projector.consumer.cli import changes, offsets, operations, parked
from neon_projector.consumer.cli import dead_letters as letters
from neon_projector.consumer.cli.contract import contract
from neon_projector.consumer.cli.database import LAST, AsJson, ByKey, Execute, MaxRate, Yes
from neon_projector.consumer.cli.discard import discard
from neon_projector.consumer.cli.examples import AN_ID, examples
from neon_projector.consumer.cli.explain import explain
from neon_projector.consumer.cli.forget import forget
from neon_projector.consumer.cli.pause import pause, resume
from neon_projector.consumer.cli.publish import check, publish
from neon_projector.consumer.cli.redrive import retry
from neon_projector.consumer.cli.replay import replay
from neon_projector.consumer.cli.roles import roles
from neon_projector.consumer.cli.status import status
from neon_projector.consumer.cli.traffic import traffic
from neon_projector.consumer.cli.undo import undo
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.logs.setup import set_up_logging, silence_libraries
from neon_projector.consumer.version import version
from neon_projector.projections.registry import REGISTRY

ENTITIES = ", ".join(projection.entity for projection in REGISTRY)

app = typer.Typer(
    help="Applies user and document events from Kafka to Neon, effectively once, in any order.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=examples("status", f"explain {AN_ID}", "--install-completion"),
)


app.add_typer(offsets.app, name="offsets")
app.add_typer(letters.app, name="dead-letters")
app.add_typer(parked.app, name="parked")
app.add_typer(operations.app, name="operations")
app.add_typer(changes.app, name="changes")
letters.app.command(epilog=examples("dead-letters retry --reason invalid_data", "dead-letters retry 42 43 --execute"))(
    retry
)
letters.app.command(
    epilog=examples("dead-letters discard --superseded", 'dead-letters discard 42 --execute --why "a test"')
)(discard)
app.command(epilog=examples("status", "status --watch", "status --partitions"))(status)
app.command(
    epilog=examples("traffic", "traffic --topic users --by type", "traffic --from PT2H --to PT1H --all --json")
)(traffic)
app.command(
    epilog=examples(
        f"explain {AN_ID}",
        f"explain {AN_ID} --from-topic",
        "explain --email ada@example.com",
        "explain --partition users:1",
    )
)(explain)
app.command(epilog=examples(f"forget {AN_ID}", f"forget {AN_ID} --execute"))(forget)
app.command(epilog=examples('pause --message "a migration"', "pause --topic users"))(pause)
app.command(epilog=examples("resume", "resume --topic users", "resume --topic users --accept", "resume --no-accept"))(
    resume
)
app.command(
    epilog=examples(
        "replay --topic users:0,1 --from PT6H",
        f"replay --all-topics --key {AN_ID}",
        "replay --topic users --from 1200 --to 2400 --max-rate 500 --execute",
    )
)(replay)
app.command(
    epilog=examples("publish events.jsonl --check", "publish events.jsonl", "publish - --mode binary --rate 100")
)(publish)
app.command(epilog=examples("check events.jsonl", "check - --json"))(check)
app.command(epilog=examples("contract", "contract --format asyncapi", "contract --diff events.strict.json"))(contract)
app.command(epilog=examples("roles --sql", "roles --sql --reader crm_reader"))(roles)
app.command(epilog=examples("undo rebuild-17.undo.jsonl", "undo rebuild-17.undo.jsonl --execute"))(undo)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"projector {version()}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Settings come from the environment; docs/settings.md lists them."""
    silence_libraries()


@app.command(epilog=examples("run"))
def run() -> None:
    """Run the service: the consumer and its sidecar."""
    from neon_projector.consumer.runner import run as run_service  # noqa: PLC0415  fast --help

    settings = load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    if asyncio.run(run_service(settings)) is signal.SIGINT:
        raise KeyboardInterrupt


@app.command(epilog=examples("migrate", "migrate --check"))
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing. Exit status 1: migrations are pending.")
    ] = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL instead of running it.")] = False,
) -> None:
    """Bring the database's schema to the newest revision."""
    from neon_projector.consumer.cli.migrate import migrate as run_migrate  # noqa: PLC0415

    raise typer.Exit(run_migrate(check=check, sql=sql))


@app.command(epilog=examples("demo", "demo --publish-to localhost:9092"))
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Do not stop at the end: go on until Ctrl-C.")] = False,
    publish_to: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Only publish the stream, to the topics users and documents of this broker."
        ),
    ] = None,
) -> None:
    """Show everything on an embedded Postgres and an embedded broker, with a lively stream of events."""
    from neon_projector.consumer.demo.run import demo as run_demo  # noqa: PLC0415

    raise typer.Exit(run_demo(keep=keep, publish_to=publish_to))


@app.command(
    epilog=examples("verify", "verify --entity document --json", f"verify --id {AN_ID} --by-key", "verify --recheck 17")
)
def verify(
    entity: Annotated[
        list[str] | None, typer.Option("--entity", help=f"Compare only these: {ENTITIES}. Repeatable.")
    ] = None,
    id: Annotated[  # noqa: A002  the option's name
        list[UUID] | None, typer.Option("--id", help="Compare this entity and what hangs on it. Repeatable.")
    ] = None,
    by_key: ByKey = False,
    recheck: Annotated[
        int | None,
        typer.Option(metavar="OPERATION", min=1, max=LAST, help="Compare only what differed in that verify."),
    ] = None,
    max_differences: Annotated[
        int | None,
        typer.Option(min=0, max=LAST, help="List at most so many; all are counted. Default: 20, with --json 1000."),
    ] = None,
    max_rate: MaxRate = None,
    as_json: AsJson = False,
) -> None:
    """Compute the tables again from the topics, and report each difference. Changes nothing.

    Exit status 1: something differs, or is ahead of positions that were set back. 5: nothing differs in what the topics
    still have, but they no longer have all.
    """
    from neon_projector.consumer.admin.verify.wanted import Wanted  # noqa: PLC0415
    from neon_projector.consumer.cli import verify as run  # noqa: PLC0415

    wanted = Wanted(tuple(entity or []), tuple(id or []), max_rate, by_key=by_key)
    raise typer.Exit(run.verify(wanted, recheck, max_differences, as_json=as_json))


@app.command(
    epilog=examples(
        "rebuild",
        f"rebuild --id {AN_ID} --execute",
        "rebuild --from-verify 17 --execute",
        "rebuild --entity document --missing-only --execute",
    )
)
def rebuild(
    entity: Annotated[
        list[str] | None, typer.Option("--entity", help=f"Heal only these: {ENTITIES}. Repeatable.")
    ] = None,
    id: Annotated[  # noqa: A002  the option's name
        list[UUID] | None, typer.Option("--id", help="Heal this entity and what hangs on it. Repeatable.")
    ] = None,
    by_key: ByKey = False,
    from_verify: Annotated[
        int | None, typer.Option(metavar="OPERATION", min=1, max=LAST, help="Heal only what that verify has found.")
    ] = None,
    missing_only: Annotated[
        bool, typer.Option("--missing-only", help="Heal only what is missing; change nothing that is there.")
    ] = False,
    delete_unprovable: Annotated[
        bool,
        typer.Option("--delete-unprovable", help="Also delete or change what the topics can't prove any more."),
    ] = False,
    undo: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write what was there before. Default: in this directory."),
    ] = None,
    max_rate: MaxRate = None,
    execute: Execute = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Bring the tables, and what waits, to what the topics say. Without --execute: tell what would be healed.

    Only what differs is touched. Rows are written in their place: readers see no gap. The service may run, and waits
    for milliseconds. What was there before goes to a file, and `projector undo` puts it back.

    Exit status 1: something differs (still), or is ahead of the positions, and is left alone. 5: as `verify`.
    """
    from neon_projector.consumer.admin.rebuild.todo import Choice  # noqa: PLC0415
    from neon_projector.consumer.admin.verify.wanted import Wanted  # noqa: PLC0415
    from neon_projector.consumer.cli import rebuild as run  # noqa: PLC0415

    wanted = Wanted(tuple(entity or []), tuple(id or []), max_rate, by_key=by_key)
    choice = Choice(missing_only, delete_unprovable)
    raise typer.Exit(run.rebuild(wanted, choice, from_verify, undo, execute=execute, yes=yes, as_json=as_json))
