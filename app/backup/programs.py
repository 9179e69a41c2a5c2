"""PostgreSQL's own pg_dump and pg_restore: where they are, whether they fit the server, and how they are run."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.pq import Conninfo

from app.backup.manifest import BackupError
from app.embedded.account import ENVIRONMENT, account_for
from app.embedded.binaries import find_binaries
from app.settings import URL_SETTINGS, Settings

LOOK_SECONDS = 0.2
MAJOR = re.compile(r"\(PostgreSQL\) (\d+)")
FAILED_TABLE = re.compile(r'(?:table|relation) "([a-z_.]+)"')


@dataclass(frozen=True)
class Programs:
    """A directory with pg_dump and pg_restore, None for PATH."""

    directory: Path | None

    def path(self, name: str) -> Path:
        """The program. Raises BackupError when it is not there."""
        found = shutil.which(name, path=self.directory and str(self.directory))
        if found is None:
            where = self.directory or "PATH"
            raise BackupError(
                f"{name} is not in {where}: install PostgreSQL's client programs, or name their directory"
                " in SAMAKI_POSTGRESQL_PROGRAMS"
            )
        return Path(found)

    def fit(self, name: str, server: int) -> None:
        """Raises BackupError unless the program is of the server's major version."""
        path = self.path(name)
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, env=ENVIRONMENT)
        major = MAJOR.search(said.stdout)
        if major is None:
            raise BackupError(f"{path} does not say that it is of PostgreSQL")
        if int(major[1]) != server:
            raise BackupError(
                f"{path} is of PostgreSQL {major[1]} and the server is {server}: install the client programs of"
                f" {server}, or name their directory in SAMAKI_POSTGRESQL_PROGRAMS"
            )

    def run(self, name: str, url: str, arguments: Sequence[str | Path], look: Callable[[], None] | None = None) -> None:
        """Run to the end; `look` is called now and then meanwhile. Raises BackupError without any content of rows."""
        with tempfile.TemporaryFile("w+", errors="replace") as said, self._running(name, url, arguments, said) as child:
            while child.poll() is None:
                if look:
                    look()
                time.sleep(LOOK_SECONDS)
            said.seek(0)
            if child.returncode != 0:
                raise BackupError(f"{name} stops: {_reason(said.read())}")

    def lines(self, arguments: Sequence[str | Path]) -> Iterator[bytes]:
        """What pg_restore writes as SQL from an archive, without a database. Raises BackupError."""
        with tempfile.TemporaryFile("w+", errors="replace") as said:
            command = [self.path("pg_restore"), "--file=-", *arguments]
            with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=said) as child:
                assert child.stdout is not None  # noqa: S101 a pipe was asked for
                yield from child.stdout
            said.seek(0)
            if child.returncode != 0:
                raise BackupError(f"the archive cannot be read: {_reason(said.read())}")

    @contextmanager
    def _running(
        self, name: str, url: str, arguments: Sequence[str | Path], said: object
    ) -> Iterator["subprocess.Popen[bytes]"]:
        child = subprocess.Popen(  # type: ignore[call-overload] # `said` is a temporary file
            [self.path(name), "--no-password", *arguments],
            env=ENVIRONMENT | _connection(url),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            umask=0o077,
            start_new_session=True,  # Ctrl-C is for us; we end it
        )
        try:
            yield child
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()


def programs(chosen: Settings) -> Programs:
    """Those of the setting, of the embedded server where it is used, else of PATH. Raises EmbeddedError."""
    if chosen.postgresql_programs is not None:
        return Programs(chosen.postgresql_programs)
    if any(getattr(chosen, name) is not None for name in URL_SETTINGS):
        return Programs(None)
    return Programs(find_binaries(account_for(chosen.data_dir / "postgres")).directory)


def database_name(url: str) -> str:
    """The database of an address, which pg_restore wants among its arguments."""
    return next(os.fsdecode(one.val) for one in Conninfo.parse(url.encode()) if one.keyword == b"dbname" and one.val)


def _connection(url: str) -> dict[str, str]:
    """The address as libpq's variables: a password in the arguments would be seen by everybody on the machine."""
    parts = Conninfo.parse(url.encode())
    return {os.fsdecode(one.envvar): os.fsdecode(one.val) for one in parts if one.val and one.envvar}


def _reason(said: str) -> str:
    """The first line that tells why, cut where the server's own message begins: that may quote a row."""
    lines = [line for line in said.splitlines() if "error:" in line] or said.splitlines() or ["no reason given"]
    line = lines[0].partition("error: ")[2] or lines[0]
    told, quoted, _ = line.partition("ERROR:")
    if not quoted:
        return told.strip()
    table = FAILED_TABLE.search(told)
    return f"the server refuses what is written to {table[1]}" if table else "the server refuses"
