"""`projector contract`: the event contract for publishers and their tools, from the code."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from neon_projector.consumer.cli.database import AsJson
from neon_projector.consumer.cli.output import print_json, print_table, print_text
from neon_projector.projections.publishing.compare import Contract, compare, read_contract
from neon_projector.projections.publishing.documents import Format, document, text_of
from neon_projector.projections.publishing.form import Form
from neon_projector.projections.registry import CONTRACT_VERSION, REGISTRY


def contract(
    kind: Annotated[
        Format, typer.Option("--format", help="JSON Schema 2020-12 of events in structured form, or AsyncAPI 3.")
    ] = Format.JSON_SCHEMA,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict/--tolerant", help="For publishers: no unknown fields. Or as the service reads: it ignores them."
        ),
    ] = True,
    diff: Annotated[
        Path | None,
        typer.Option(
            metavar="OLD.json",
            help="Say what has changed since this contract, and whether that is compatible.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the event contract, from the code: types, fields, rules, examples. It needs no server and no settings.

    Exit status 1: with --diff, a change is not compatible.
    """
    if diff is not None:
        raise typer.Exit(_compare(diff, as_json))
    printed = document(REGISTRY, CONTRACT_VERSION, Form.STRICT if strict else Form.TOLERANT, kind)
    print_json(printed) if as_json else typer.echo(text_of(printed), nl=False)


def _compare(file: Path, as_json: bool) -> int:
    old = _read(file)
    new = read_contract(document(REGISTRY, CONTRACT_VERSION, old.form, Format.JSON_SCHEMA))
    changes = compare(old, new)
    compatible = all(change.compatible for change in changes)
    if as_json:
        told = [change._asdict() for change in changes]
        print_json({"old": old.version, "new": new.version, "compatible": compatible, "changes": told})
        return 0 if compatible else 1
    if changes:
        print_table([{**one._asdict(), "compatible": "yes" if one.compatible else "NO"} for one in changes])
    said = "compatible" if compatible else "NOT compatible: publish it as a new type, or as a new major version"
    print_text(f"{old.version} -> {new.version}: {said if changes else 'no rule has changed'}")
    return 0 if compatible else 1


def _read(file: Path) -> Contract:
    try:
        return read_contract(orjson.loads(file.read_bytes()))
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="--diff") from None
    except ValueError as error:
        said = "not JSON" if isinstance(error, orjson.JSONDecodeError) else str(error)
        raise typer.BadParameter(f"{file}: {said}", param_hint="--diff") from None
