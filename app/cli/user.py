"""`samaki user create` and `reset-password`: the very first people, made by whoever runs the machine."""

import asyncio
from typing import Annotated

import typer

from app.cli.place import DataDir, configured, database
from app.settings import settings


def create(
    username: str,
    role: Annotated[str, typer.Option(help="such as admin, supervisor or caseworker")],
    display_name: Annotated[str, typer.Option(help="as colleagues see it")],
    organisation: Annotated[str | None, typer.Option(help="its name; none for an admin")] = None,
    commune: Annotated[list[str] | None, typer.Option(help="code of a commune; may be repeated")] = None,
    data_dir: DataDir = None,
) -> None:
    """Create a person who may sign in at once; prints the first password."""
    from app.services.users import create_by_operator

    with database(configured(data_dir)) as urls:
        password = asyncio.run(
            create_by_operator(urls, settings(), username, role, display_name, organisation, commune or [])
        )
    typer.echo(password)


def reset_password(username: str, data_dir: DataDir = None) -> None:
    """Give a person a new password and end their sessions; prints the password."""
    from app.services.users import reset_by_operator

    with database(configured(data_dir)) as urls:
        typer.echo(asyncio.run(reset_by_operator(urls, settings(), username)))
