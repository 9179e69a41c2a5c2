"""`samaki erasures replay`: what was erased stays erased, also in a database that was restored from before."""

import typer

from app.cli.place import DataDir, configured, database
from app.erasures import ledger_of, replay_erasures


def replay(data_dir: DataDir = None) -> None:
    """Erase again what the ledger names and this database still holds; serve does it at every start."""
    chosen = configured(data_dir)
    ledger = ledger_of(chosen)
    with database(chosen) as urls:
        count = replay_erasures(urls.worker, ledger)
    typer.echo(f"{len(ledger.entries())} erasures in {ledger.path}, {count} of them done again")
