"""`projector roles`: SQL for the roles of a database."""

from typing import Annotated

import typer

from neon_projector.consumer.schema.roles import READER, roles_sql


def roles(
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL. It is for you to run.")] = False,
    reader: Annotated[str, typer.Option(metavar="NAME", help="The role that applications read with.")] = READER,
) -> None:
    """Print the SQL that makes a role for applications that read. It needs no server and no settings.

    The role may read users and documents, and how far the service is. It has no password and can't log in: grant it to
    the roles that do.
    """
    if not sql:
        raise typer.BadParameter("roles are made by you: this prints the SQL for it", param_hint="--sql")
    try:
        typer.echo(roles_sql(reader), nl=False)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--reader") from None
