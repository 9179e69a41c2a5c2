"""The command `samaki`: every command in one place, every failure one sentence."""

import sys
from signal import SIGTERM

import typer
from pydantic import ValidationError

from app.cli.api import api
from app.cli.audit import verify_audit
from app.cli.backup import backup, restore
from app.cli.check import check
from app.cli.data import import_areas, load
from app.cli.ending import stop_in_order
from app.cli.erasures import replay
from app.cli.exports import verify_export
from app.cli.keys import rotate_keys
from app.cli.migrate import migrate
from app.cli.report import report
from app.cli.serve import demo, serve
from app.cli.user import create, reset_password
from app.cli.worker import worker
from app.keys import UnusableKey
from app.settings import SetupError

cli = typer.Typer(
    name="samaki",
    help="Case management for people who protect women and girls in rural Cambodia.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (serve, demo, api, worker, migrate, check, load, report, backup, restore):
    cli.command()(command)

areas = typer.Typer(help="Provinces, districts, communes and villages.", no_args_is_help=True)
areas.command("import")(import_areas)
cli.add_typer(areas, name="areas")

keys = typer.Typer(help="The keys that wrap data keys.", no_args_is_help=True)
keys.command("rotate")(rotate_keys)
cli.add_typer(keys, name="keys")

audit = typer.Typer(help="The trail of who did what.", no_args_is_help=True)
audit.command("verify")(verify_audit)
cli.add_typer(audit, name="audit")

erasures = typer.Typer(help="Cases that were erased.", no_args_is_help=True)
erasures.command("replay")(replay)
cli.add_typer(erasures, name="erasures")

exports = typer.Typer(help="Anonymised exports.", no_args_is_help=True)
exports.command("verify")(verify_export)
cli.add_typer(exports, name="export")

user = typer.Typer(help="People who sign in.", no_args_is_help=True)
user.command()(create)
user.command()(reset_password)
cli.add_typer(user, name="user")


def main() -> None:
    """Run the command line. Exit codes: 0 well, 1 something to put right, 2 wrong usage."""
    stop_in_order(SIGTERM, code=143)  # as if killed, but the embedded server is put away first
    try:
        cli()
    except ValidationError as error:
        # A default that derives from a faulty setting is no second fault.
        faults = [one for one in error.errors() if one["type"] != "default_factory_not_called"]
        _end("; ".join(_sentence(list(one["loc"]), one["msg"]) for one in faults))
    except (SetupError, UnusableKey) as error:
        _end(str(error))


def _sentence(location: list[int | str], message: str) -> str:
    name = f"SAMAKI_{str(location[0]).upper()}: " if location else ""
    return name + message.removeprefix("Value error, ")


def _end(reason: str) -> None:
    typer.echo(f"samaki: {reason}", err=True)
    sys.exit(1)
