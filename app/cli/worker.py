"""`samaki worker`: deliveries and housekeeping; `serve` runs one beside the API."""

from typing import Annotated

import typer

from app.cli.ending import end_with_parent
from app.cli.place import DataDir, configured, database


def worker(data_dir: DataDir = None, supervised: Annotated[bool, typer.Option(hidden=True)] = False) -> None:
    """Deliver events and keep house; runs until it is stopped."""
    from app.worker import main

    if supervised:
        end_with_parent()
    with database(configured(data_dir)):
        main()
