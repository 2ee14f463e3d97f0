"""`projector contract`: the event contract for publishers and their tools, from the code."""

from typing import Annotated

import typer

from neon_projector.consumer.cli.database import AsJson
from neon_projector.consumer.cli.output import print_json
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
    as_json: AsJson = False,
) -> None:
    """Print the event contract, from the code: types, fields, rules, examples. It needs no server and no settings."""
    printed = document(REGISTRY, CONTRACT_VERSION, Form.STRICT if strict else Form.TOLERANT, kind)
    print_json(printed) if as_json else typer.echo(text_of(printed), nl=False)
