"""`samaki audit verify`: is the trail whole, and if not, where."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from psycopg.types.json import Jsonb
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from app.audit_check import count_rows, verify
from app.cli.place import DataDir, configured, database
from app.keys import load_audit_keys
from app.schema import connected

COLUMNS = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
KEEP = "insert into audit_verifications (at, rows, signatures, faults) values (%s, %s, %s, %s)"


def verify_audit(
    anchor: Annotated[Path | None, typer.Option(help="the anchor's file; unset: SAMAKI_AUDIT_ANCHOR_FILE")] = None,
    data_dir: DataDir = None,
) -> None:
    """Recompute every chain of the trail, check every signed head; exit code 1 and the place of what is wrong."""
    chosen = configured(data_dir)
    keys = load_audit_keys(chosen.keys_dir)
    with database(chosen) as urls:
        with connected(urls.backup) as connection, Progress(*COLUMNS, transient=True) as progress:
            bar = progress.add_task("rows", total=count_rows(connection))
            connection.rollback()  # the verification's own snapshot begins a new transaction
            advance = partial(progress.advance, bar)
            found = verify(connection, keys, anchor or chosen.audit_anchor_file, advance)
        with connected(urls.worker) as connection:
            faults = [{"shard": one.shard, "seq": one.seq, "fault": one.fault} for one in found.faults]
            connection.execute(KEEP, [datetime.now(UTC), found.rows, found.signatures, Jsonb(faults)])
    for fault in found.faults:
        typer.echo(f"FAIL {fault}")
    if found.more:
        typer.echo(f"FAIL and {found.more} more")
    typer.echo(f"{found.rows} rows, {found.signatures} signed heads, {len(found.faults) + found.more} faults")
    if found.faults:
        raise typer.Exit(1)
