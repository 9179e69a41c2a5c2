"""`samaki areas import` and `samaki load`: rows from a file, and synthetic rows in bulk."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.place import DataDir, configured, database
from app.keys import ensure
from app.schema import prepare, upgrade
from app.sealing.key_encryption import key_encryption
from app.sealing.rotation import check_keys
from app.settings import settings


def import_areas(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    data_dir: DataDir = None,
) -> None:
    """Import the gazetteer: all rows, or none and every bad row named."""
    from app.services.gazetteer import import_file

    with database(configured(data_dir)) as urls:
        prepare(urls.admin)
        upgrade(urls.owner)
        report = import_file(urls, file)
    for problem in report.problems:
        typer.echo(str(problem), err=True)
    if report.bad:
        typer.echo(f"{report.bad} bad rows of {report.rows}: nothing was changed", err=True)
        raise typer.Exit(1)
    for code in report.kept_in_use:
        typer.echo(f"{code} is not in the file but in use: kept")
    typer.echo(f"{report.rows} areas: {report.inserted} new, {report.updated} changed, {report.removed} removed")


def load(
    cases: Annotated[int, typer.Option(min=1, help="how many cases")],
    seed: Annotated[int, typer.Option(help="the same seed gives the same data")] = 1,
    data_dir: DataDir = None,
) -> None:
    """Fill the database with synthetic cases, to see how it behaves at size."""
    from app.demo import load_cases

    columns = (TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with database(configured(data_dir)) as urls, Progress(*columns) as progress:
        prepare(urls.admin)
        upgrade(urls.owner)
        ensure(settings().keys_dir)
        check_keys(urls.runtime, key_encryption(settings()))
        bar = progress.add_task("cases", total=cases)
        load_cases(urls, settings(), cases, seed, lambda done: progress.update(bar, completed=done))
