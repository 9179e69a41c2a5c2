"""`samaki serve` and `samaki demo`: one command that brings up everything and takes it down again."""

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from signal import SIGINT, SIGTERM
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from app.cli import address
from app.cli.children import Child, Children
from app.cli.ending import stop_in_order
from app.cli.place import DataDir, configured, database, sole_server
from app.database_urls import DatabaseUrls
from app.erasures import ledger_of, replay_erasures
from app.keys import ensure, load_audit_keys, load_export_keys
from app.schema import prepare, upgrade
from app.sealing.key_encryption import key_encryption
from app.sealing.rotation import check_keys
from app.settings import Settings, SetupError, child_environment, is_loopback, settings

START_SECONDS = 60
DEMO_MARK = "holds-the-demo"

Port = Annotated[int | None, typer.Option(help="port to serve on; 0: any free one")]
Accounts = Sequence[Mapping[str, Any]]


def serve(
    host: Annotated[str | None, typer.Option(help="address to serve on")] = None,
    port: Port = None,
    workers: Annotated[int | None, typer.Option(help="API processes")] = None,
    data_dir: DataDir = None,
) -> None:
    """Migrate, serve, and run the worker beside; starts PostgreSQL unless SAMAKI_DATABASE_URL is set."""
    chosen = configured(data_dir, host=host, port=port, workers=workers)
    if (chosen.data_dir / DEMO_MARK).exists() and not is_loopback(chosen.host):
        raise SetupError(
            f"{chosen.data_dir} holds the demo, whose passwords everybody knows; choose another --data-dir"
        )
    _serve(chosen, lambda _: [])


def demo(data_dir: DataDir = None, port: Port = None) -> None:
    """The same with the demo quarter loaded, for this machine alone."""
    chosen = configured(data_dir, port=port, demo=True)
    mark = chosen.data_dir / DEMO_MARK
    if (chosen.data_dir / "postgres").exists() and not mark.exists():
        raise SetupError(f"{chosen.data_dir} holds real data; give the demo its own with --data-dir")
    _serve(chosen, lambda urls: _load_demo(urls, chosen))


def _load_demo(urls: DatabaseUrls, chosen: Settings) -> Accounts:
    from app.demo import load_demo  # the demo is not loaded by a service that runs for real

    return load_demo(urls, chosen)


def _serve(chosen: Settings, load: Callable[[DatabaseUrls], Accounts]) -> None:
    stop_in_order(SIGTERM, SIGINT)
    with address.listen(chosen.host, chosen.port) as listener, sole_server(chosen.data_dir):
        if chosen.demo:
            (chosen.data_dir / DEMO_MARK).touch()
        with database(chosen) as urls:
            prepare(urls.admin)
            upgrade(urls.owner)
            ensure(chosen.keys_dir)
            load_export_keys(chosen.keys_dir)
            load_audit_keys(chosen.keys_dir)  # here rather than in the children: the reason is the last word
            check_keys(urls.runtime, key_encryption(chosen))
            replay_erasures(urls.worker, ledger_of(chosen))
            accounts = load(urls)
            with Children(*_children(settings(), listener)) as children:
                _wait_until_up(listener, children)
                _welcome(address.url(listener), accounts)
                children.watch()


def _children(chosen: Settings, listener: socket.socket) -> list[Child]:
    """API processes that share one listening socket, and the worker; each knows only its own databases."""
    for_api = child_environment(chosen, ["database_url", "reports_database_url", "key_encryption_keys"])
    for_worker = child_environment(chosen, ["database_url", "worker_database_url"])
    descriptor = listener.fileno()
    apis = [
        Child(f"API {number}", ["api", "--descriptor", str(descriptor)], for_api, (descriptor,))
        for number in range(1, chosen.workers + 1)
    ]
    return [*apis, Child("worker", ["worker", "--supervised"], for_worker)]


def _wait_until_up(listener: socket.socket, children: Children) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not address.answers(listener):
        children.all_well()
        if time.monotonic() > deadline:
            raise SetupError(f"the API did not answer within {START_SECONDS} seconds")
        time.sleep(0.1)


def _welcome(url: str, accounts: Accounts) -> None:
    console = Console()
    if accounts:
        # A password must be seen whole; what is too long for the terminal is the organisation's name.
        whole = [Column("username", no_wrap=True, min_width=14), Column("password", no_wrap=True, min_width=19)]
        table = Table(*whole, "role", "organisation", "communes", title="Demo accounts")
        systems = [account for account in accounts if account.get("system")]
        for account in accounts:
            if account not in systems:
                communes = ", ".join(account["communes"])
                row = (account["username"], account["password"], account["role"], account["organisation"], communes)
                table.add_row(*row)
        console.print(table)
        for account in systems:  # whose ids are too long for a column
            console.print(f"client_id {account['username']}  client_secret {account['password']}")
        console.print(f"API page   {url}/docs")
    console.print(f"API        {url}/api/v1\nStop with Ctrl-C.")
