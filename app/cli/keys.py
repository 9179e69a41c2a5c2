"""`samaki keys rotate`: a new key-encryption key, and every data key wrapped with it, while the API serves."""

import time

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.place import DataDir, configured, database
from app.keys import add_key_encryption_key
from app.sealing.key_encryption import key_encryption
from app.sealing.rotation import needs_rewrapping, rotate


def rotate_keys(data_dir: DataDir = None) -> None:
    """Make a new key-encryption key and wrap every data key with it; goes on where it was cut off."""
    chosen = configured(data_dir)
    columns = (TextColumn("data keys"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with database(chosen) as urls, Progress(*columns) as progress:
        if chosen.key_encryption_keys is None and not needs_rewrapping(urls.worker, key_encryption(chosen)):
            add_key_encryption_key(chosen.keys_dir)
        kek, bar, began = key_encryption(chosen), progress.add_task("keys", total=None), time.monotonic()
        done = rotate(urls.worker, kek, lambda done, total: progress.update(bar, completed=done, total=total))
    typer.echo(f"{done} data keys are wrapped with {kek.current} now, in {time.monotonic() - began:.1f} s")
    typer.echo("Keep the older key files as long as there are backups that need them (30 days).")
