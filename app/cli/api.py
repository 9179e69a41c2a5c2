"""`samaki api`: the API alone; the child of `serve`, and what a container runs."""

import socket
from signal import SIGINT, SIGTERM
from typing import Annotated

import typer
import uvicorn

from app.cli import address
from app.cli.ending import end_with_parent, stop_in_order
from app.cli.place import DataDir, configured, database
from app.edge.connection import Connection
from app.erasures import check_erasures, ledger_of
from app.keys import ensure
from app.sealing.key_encryption import key_encryption
from app.sealing.rotation import check_keys
from app.settings import Settings

KEEP_ALIVE_SECONDS = 15
STOP_SECONDS = 10


def api(
    host: Annotated[str | None, typer.Option(help="address to serve on")] = None,
    port: Annotated[int | None, typer.Option(help="port to serve on")] = None,
    data_dir: DataDir = None,
    descriptor: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve the API alone: no migration, no worker (for containers; else use serve)."""
    stop_in_order(SIGTERM, SIGINT)
    chosen = configured(data_dir, host=host, port=port)
    if descriptor is None:
        listener = address.listen(chosen.host, chosen.port)
    else:
        end_with_parent()
        listener = socket.socket(fileno=descriptor)
    with listener, database(chosen) as urls:
        ensure(chosen.keys_dir)
        check_keys(urls.runtime, key_encryption(chosen))
        check_erasures(urls.runtime, ledger_of(chosen))
        uvicorn.Server(server_config(chosen)).run(sockets=[listener])


def server_config(chosen: Settings) -> uvicorn.Config:
    """How uvicorn serves: overload is refused at once, nobody is told what software this is."""
    return uvicorn.Config(
        "app.main:create_app",
        factory=True,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,  # app.logs decides what is written
        access_log=False,
        server_header=False,
        proxy_headers=bool(chosen.trusted_proxies),
        forwarded_allow_ips=chosen.trusted_proxies,
        limit_concurrency=chosen.limit_concurrency,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
