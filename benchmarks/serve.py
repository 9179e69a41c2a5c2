"""One measured server process: `python -m benchmarks.serve api|reference PORT [CAPTURED]`, configured by SAMAKI_*."""

import sys
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn

from app.edge.connection import Connection
from app.main import create_app
from app.settings import settings
from benchmarks.reference import create_reference


def main() -> None:
    """Serve until stopped, exactly as `samaki serve` does: one process, uvloop, httptools."""
    kind, port = sys.argv[1], int(sys.argv[2])
    configuration = settings()
    if kind == "api":
        app = create_app(configuration)
    else:
        assert configuration.database_url is not None
        app = create_reference(
            configuration.database_url.get_secret_value(), Path(sys.argv[3]), configuration.pool_size
        )

        @asynccontextmanager
        async def lifespan(_: object):  # type: ignore[no-untyped-def]
            await app.state.opened()
            yield

        app.router.lifespan_context = lifespan
    http = Connection if kind == "api" else "httptools"
    uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http=http, access_log=False, log_config=None)


if __name__ == "__main__":
    main()
