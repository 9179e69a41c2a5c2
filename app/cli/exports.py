"""`samaki export verify`: are these files the release that was signed? Needs no connection and no database."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.place import DataDir, configured
from app.keys import export_jwks, load_export_keys
from app.settings import SetupError

HINT = "the keys are those of /.well-known/export-keys.json"


def verify_export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="the files of one release, and nothing else")],
    keys: Annotated[
        Path | None, typer.Option(help="a copy of /.well-known/export-keys.json; unset: the keys of this installation")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Check signature and files, and read every table again; exit code 1 and a line for each thing that is wrong."""
    from app.exports.verifying import public_keys, verify

    try:
        document = keys.read_bytes() if keys else None
        known = public_keys(document if document is not None else _own(data_dir))
    except OSError as error:
        raise SetupError(f"{keys} cannot be read ({error.strerror}): {HINT}") from None
    except ValueError:
        raise SetupError(f"{keys} holds no set of export keys: {HINT}") from None
    faults = verify(directory, known)
    for fault in faults:
        typer.echo(f"FAIL {fault}")
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{directory} is what was signed, and keeps what it promises")


def _own(data_dir: Path | None) -> bytes:
    import json

    return json.dumps(export_jwks(load_export_keys(configured(data_dir).keys_dir))).encode()
