"""`samaki backup` and `samaki restore`: what is written where, and what was checked, in ids and counts."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.backup.manifest import Manifest
from app.backup.programs import programs
from app.backup.restoring import Installation, find
from app.backup.restoring import restore as restore_into
from app.backup.saving import Order, save
from app.cli.check import check_policies
from app.cli.place import DataDir, configured, database, server, sole_server
from app.erasures import ledger_of
from app.keys import KeyStore, key_encryption_files, load_audit_keys
from app.sealing.key_encryption import kek_id, key_encryption
from app.settings import Settings


def backup(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="where backups lie; each gets a directory in it")],
    keys_to: Annotated[
        Path | None, typer.Option(help="another place for the wrapped data keys, on other storage at best; unset: DIR")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Back up the data, and the wrapped data keys apart from them; the key files themselves are in neither."""
    chosen = configured(data_dir)
    keys = KeyStore.load(chosen.keys_dir)
    tools, began = programs(chosen), time.monotonic()
    with database(chosen) as urls, _progress() as look:
        order = Order(
            urls=urls,
            programs=tools,
            keys=keys,
            key_files=_key_files(chosen),
            place=directory.resolve(),
            keys_place=(keys_to or directory).resolve(),
            now=datetime.now(UTC),
            ledger=ledger_of(chosen, keys),
        )
        saved = save(order, look)
    _say_part(saved.data, saved.manifest)
    _say_part(saved.keys, saved.keys_manifest)
    for name in saved.removed:
        typer.echo(f"{name} was older than 30 days: removed")
    typer.echo(f"done in {time.monotonic() - began:.1f} s")
    typer.echo(
        f"Not in it: the key files in {chosen.keys_dir}, without which no backup opens and beside which any thief opens"
        f" it; the erasure ledger {chosen.erasure_ledger}, of which a restore needs the newest copy. Copy both to a"
        " place of their own."
    )


def restore(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="a backup, or where backups lie: then the newest")],
    keys_from: Annotated[
        Path | None, typer.Option(help="where the wrapped data keys lie, when they are not in DIR")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Restore a backup into an empty database; nothing serves it unless every check is well."""
    chosen = configured(data_dir)
    keys, audit_keys, kek = KeyStore.load(chosen.keys_dir), load_audit_keys(chosen.keys_dir), key_encryption(chosen)
    tools, began = programs(chosen), time.monotonic()
    parts = find(directory.resolve(), keys_from and keys_from.resolve(), keys)
    typer.echo(f"{parts.data.name} of {parts.manifest.made_at:%Y-%m-%d %H:%M} UTC, revision {parts.manifest.revision}")
    with sole_server(chosen.data_dir), server(chosen) as urls, _progress() as look:
        into = Installation(
            urls=urls,
            programs=tools,
            keys=keys,
            audit_keys=audit_keys,
            kek=kek,
            now=datetime.now(UTC),
            ledger=ledger_of(chosen, keys),
            walls=lambda: check_policies(urls),
        )
        done = restore_into(into, parts, look)
    typer.echo(f"{done.rows} rows, as many as were counted in each table")
    typer.echo(f"{done.keys} data keys open; opened {sum(done.opened.values())} rows of {len(done.opened)} kinds")
    typer.echo(f"{done.audit_rows} rows of the trail verify; {done.erased_again} erased cases were erased again")
    typer.echo(f"done in {time.monotonic() - began:.1f} s: everybody signs in anew")


def _key_files(chosen: Settings) -> dict[str, str | None]:
    if chosen.key_encryption_keys is None:
        return {kek_id(key): name for name, key in key_encryption_files(chosen.keys_dir).items()}
    return dict.fromkeys(key_encryption(chosen).known)


def _say_part(directory: Path, manifest: Manifest) -> None:
    size = sum(file.size for file in manifest.files.values())
    rows = sum(manifest.counts.values())
    typer.echo(f"{directory}  {size / 1e6:.1f} MB, {rows} rows of {len(manifest.counts)} tables")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True, disable=not sys.stdout.isatty()) as progress:
        bar = progress.add_task("")
        yield lambda what: progress.update(bar, description=what)
