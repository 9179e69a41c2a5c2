"""`samaki migrate`: roles, tables, policies and functions brought up to date."""

import typer

from app.cli.place import DataDir, configured, database
from app.schema import current, prepare, upgrade


def migrate(data_dir: DataDir = None) -> None:
    """Bring the database's roles, tables, policies and functions up to date, or change nothing."""
    with database(configured(data_dir)) as urls:
        prepare(urls.admin)
        upgrade(urls.owner)
        revision, sql_hash = current(urls.owner)
        typer.echo(f"revision {revision}, policies {(sql_hash or 'none')[:12]}")
