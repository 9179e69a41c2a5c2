"""The operating-system account that PostgreSQL runs as: the caller's own, or `pgserver` for root."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.embedded.error import EmbeddedError

SYSTEM_ACCOUNT = "pgserver"
LONGEST_SECONDS = 150  # more than pg_ctl itself waits
# Nothing of the caller's environment reaches the server: no PGDATA, no locale, no LD_LIBRARY_PATH.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


@dataclass(frozen=True)
class Account:
    """Who runs the server; `switch` when we are root and must become that account first."""

    name: str
    uid: int
    gid: int
    switch: bool


@dataclass(frozen=True)
class Outcome:
    """How a command ended: exit code and everything that it printed."""

    code: int
    output: str

    @property
    def last_line(self) -> str:
        """The last line printed, where commands say what went wrong."""
        lines = self.output.strip().splitlines()
        return lines[-1].strip() if lines else f"exit code {self.code}"


def account_for(cluster: Path) -> Account:
    """The owner of an existing cluster, else who should own a new one. Raises EmbeddedError."""
    me = os.geteuid()
    owner = cluster.stat().st_uid if cluster.exists() else None
    if me == 0:
        return _by_uid(owner, switch=True) if owner else _system_account()
    if owner not in {None, me}:
        raise EmbeddedError(f"{cluster} belongs to another user; choose another --data-dir")
    return _by_uid(me, switch=False)


def run_as(account: Account, command: Sequence[str | Path], directory: Path = Path("/")) -> Outcome:
    """Run a command as the account, in `directory`. Its output goes through a file: the server that
    `pg_ctl` leaves behind would keep a pipe open for ever."""
    identity = {"user": account.uid, "group": account.gid, "extra_groups": []} if account.switch else {}
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        ended = subprocess.run(  # type: ignore[call-overload] # the overloads do not take a dict of options
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=ENVIRONMENT,
            umask=0o077,
            start_new_session=True,  # Ctrl-C is for us; we stop the server in our own time
            timeout=LONGEST_SECONDS,
            check=False,
            **identity,
        )
        output.seek(0)
        return Outcome(ended.returncode, output.read())


def check_reachable(account: Account, directory: Path) -> None:
    """Raise EmbeddedError naming the first directory above `directory` that shuts the account out."""
    if not account.switch or _may_enter(account, directory):
        return
    for parent in [*reversed(directory.parents), directory]:
        if not _may_enter(account, parent):
            raise EmbeddedError(
                f"PostgreSQL runs as the system user {account.name}, to whom {parent} is closed; "
                f"choose a --data-dir elsewhere, or open the way with: chmod o+x {parent}"
            )


def _may_enter(account: Account, directory: Path) -> bool:
    return run_as(account, ["/bin/sh", "-c", 'test -x "$1"', "sh", directory]).code == 0


def _by_uid(uid: int, *, switch: bool) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedError(
            f"user id {uid} has no name on this machine, and PostgreSQL needs one; "
            "add the user, or set SAMAKI_DATABASE_URL"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch)


def _system_account() -> Account:
    try:
        return _by_uid(pwd.getpwnam(SYSTEM_ACCOUNT).pw_uid, switch=True)
    except KeyError:
        return _created_system_account()


def _created_system_account() -> Account:
    useradd = shutil.which("useradd", path=ENVIRONMENT["PATH"])
    if useradd is None:
        raise EmbeddedError(f"PostgreSQL never runs as root; create the system user {SYSTEM_ACCOUNT} first")
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    root = Account("root", 0, 0, switch=False)
    made = run_as(root, [useradd, *options, SYSTEM_ACCOUNT])
    try:
        return _by_uid(pwd.getpwnam(SYSTEM_ACCOUNT).pw_uid, switch=True)  # perhaps made by a neighbour
    except KeyError:
        raise EmbeddedError(f"the system user {SYSTEM_ACCOUNT} cannot be created: {made.last_line}") from None
