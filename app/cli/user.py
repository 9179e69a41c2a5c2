"""`samaki user create` and `reset-password`: the very first people, made by whoever runs the machine."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.place import DataDir, configured, database
from app.db import Database
from app.keys import KeyStore, ensure
from app.schema import prepare, upgrade
from app.screening_tokens import of_people
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
    from app.services.operators import create_user

    async def make(session: AsyncSession, now: datetime) -> str:
        wanted = {"username": username, "display_name": display_name, "role": role}
        _, password = await create_user(session, now, **wanted, organisation_name=organisation, communes=commune or [])
        return password

    typer.echo(_in_transaction(data_dir, make))


def reset_password(username: str, data_dir: DataDir = None) -> None:
    """Give a person a new password and end their sessions; prints the password."""
    from app.services import operators

    async def reset(session: AsyncSession, now: datetime) -> str:
        return await operators.reset_password(session, now, username)

    typer.echo(_in_transaction(data_dir, reset))


def _in_transaction(data_dir: Path | None, work: Callable[[AsyncSession, datetime], Awaitable[str]]) -> str:
    """What `work` gives back, in one transaction of the API's own database role."""

    ensure(configured(data_dir).keys_dir)
    keys = KeyStore.load(configured(data_dir).keys_dir)

    async def run(url: str) -> str:
        engine = Database(url, settings(), dict, shared=of_people(keys))  # no case is opened here
        try:
            async with engine.transaction() as session:
                return await work(session, engine.now())
        finally:
            await engine.close()

    with database(configured(data_dir)) as urls:
        prepare(urls.admin)
        upgrade(urls.owner)
        return asyncio.run(run(urls.runtime))
