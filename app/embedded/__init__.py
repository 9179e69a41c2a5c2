"""PostgreSQL 18 beside Samaki: our own small start and stop around the binaries of a wheel.

Socket only, peer authentication only, never as root. Whoever needs the server holds a shared lock on
`DATA_DIR/postgres.users`; the last one out stops it. A server that is found running is adopted.
"""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from app.embedded import cluster
from app.embedded.account import Account, account_for, check_reachable
from app.embedded.binaries import Binaries, find_binaries
from app.embedded.error import EmbeddedError
from app.embedded.lock import locked, take_if_free

__all__ = ["EmbeddedError", "EmbeddedPostgres"]

START_SECONDS = 120


class EmbeddedPostgres:
    """A running server for as long as the `with` block lasts. Raises EmbeddedError, one sentence each."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self.directory = self.data_dir / "postgres"
        self.socket_dir = self.data_dir / "run"
        self._users: int | None = None
        self._account: Account | None = None
        self._binaries: Binaries | None = None

    @property
    def running(self) -> bool:
        """Whether a server runs on this data directory now."""
        return cluster.postmaster_pid(self.directory) is not None

    @property
    def version(self) -> str:
        """The server's version, as `18.4`."""
        return self._known_binaries.version

    def url(self, role: str, database: str) -> str:
        """A libpq URL for `role`: no password, the socket asks the kernel who is calling."""
        host = quote(str(self.socket_dir))
        return f"postgresql://{quote(role)}@/{quote(database)}?host={host}"

    def __enter__(self) -> Self:
        try:
            self._enter()
        except OSError as error:
            self._leave()
            reason = error.strerror or type(error).__name__
            raise EmbeddedError(f"{error.filename or self.data_dir} cannot be used: {reason}") from error
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _enter(self) -> None:
        cluster.check_socket_path(self.socket_dir)
        cluster.open_data_dir(self.data_dir)
        self._account = account_for(self.directory)
        check_reachable(self._account, self.data_dir)
        self._binaries = find_binaries(self._account)
        # Waits for whoever is stopping the server, and from then on keeps others from stopping it.
        self._users = os.open(self.data_dir / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._users, fcntl.LOCK_SH)
        with locked(self.data_dir / "postgres.start"):
            self._ensure_running()

    def _ensure_running(self) -> None:
        account, binaries = self._account, self._known_binaries
        assert account is not None  # noqa: S101 set by _enter
        if not self.directory.exists():
            cluster.initialise(binaries, account, self.directory)
        cluster.check_version(self.directory, binaries)
        cluster.own_directory(account, self.socket_dir)
        deadline = time.monotonic() + START_SECONDS
        while True:
            if not self.running:
                cluster.forget_dead_server(self.directory, self.socket_dir)
                config = cluster.write_config(account, self.data_dir, self.directory, self.socket_dir)
                cluster.start(binaries, account, self.directory, config, deadline)
            if self._answers(deadline):
                return

    def _answers(self, deadline: float) -> bool:
        """Whether the server lets us in and has our database; a server still starting is waited for."""
        try:
            with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
                if not connection.execute("select 1 from pg_database where datname = 'samaki'").fetchone():
                    connection.execute("create database samaki")
            return True
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[-1]
            if "authentication failed" in reason or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL in {self.data_dir} does not answer: {reason}") from error
            time.sleep(0.1)
            return False

    def _leave(self) -> None:
        """Give up our share of the server, and stop it if nobody else has one."""
        users, self._users = self._users, None
        if users is None:
            return
        try:
            if take_if_free(users) and self.running and self._account:
                cluster.stop(self._known_binaries, self._account, self.directory)
        finally:
            os.close(users)

    @property
    def _known_binaries(self) -> Binaries:
        if self._binaries is None:
            raise EmbeddedError("the embedded PostgreSQL is used before it was started")
        return self._binaries
