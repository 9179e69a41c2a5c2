"""`samaki worker`: deliveries and housekeeping; `serve` runs one beside the API."""

import asyncio
from signal import SIGINT, SIGTERM
from typing import Annotated

import typer

from app.cli.ending import end_with_parent, stop_in_order
from app.cli.place import DataDir, configured, database
from app.settings import settings


def worker(data_dir: DataDir = None, supervised: Annotated[bool, typer.Option(hidden=True)] = False) -> None:
    """Deliver events and keep house; runs until it is stopped."""
    from app.worker import run

    stop_in_order(SIGTERM, SIGINT)
    if supervised:
        end_with_parent()
    with database(configured(data_dir)) as urls:
        asyncio.run(run(urls, settings()))
