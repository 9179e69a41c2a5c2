"""One PostgreSQL data directory: made, configured, started, looked at, stopped."""

import os
import shutil
import tempfile
import time
from pathlib import Path

from app.embedded.account import Account, Outcome, run_as
from app.embedded.binaries import Binaries
from app.embedded.error import EmbeddedError

SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 107
STILL_DYING = "pre-existing shared memory block"

# Locale and messages are fixed so that data and errors look the same on every machine. The log holds
# no statement and no DETAIL: those carry values, and values are people.
SETTINGS = """\
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
synchronous_commit = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
"""


def check_socket_path(socket_dir: Path) -> None:
    """Raise EmbeddedError if the socket's path is longer than the kernel takes (107 bytes)."""
    length = len(os.fsencode(socket_dir / SOCKET_NAME))
    if length > LONGEST_SOCKET_PATH:
        raise EmbeddedError(
            f"the data directory's path is {length - LONGEST_SOCKET_PATH} bytes too long for a socket; "
            "choose a shorter --data-dir"
        )


def open_data_dir(data_dir: Path) -> None:
    """Make the data directory, closed to others' writing; root's lets `pgserver` pass, not look."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = data_dir.stat()
    passage = 0o011 if os.geteuid() == 0 else 0
    wanted = found.st_mode & ~0o022 | passage
    if found.st_uid == os.geteuid() and wanted != found.st_mode:
        data_dir.chmod(wanted & 0o7777)


def own_directory(account: Account, directory: Path) -> None:
    """A directory for the account alone."""
    directory.mkdir(mode=0o700, exist_ok=True)
    if account.switch:
        os.chown(directory, account.uid, account.gid)
    directory.chmod(0o700)


def initialise(binaries: Binaries, account: Account, directory: Path) -> None:
    """Make a cluster, all or nothing: a half-made one of a crash is thrown away. Raises EmbeddedError."""
    draft = directory.with_name(directory.name + ".new")
    if draft.exists():
        shutil.rmtree(draft)
    own_directory(account, draft)
    made = run_as(
        account,
        [
            binaries.directory / "initdb",
            f"--pgdata={draft}",
            "--username=postgres",
            "--auth-local=peer",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            "--no-instructions",
        ],
    )
    if made.code != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise EmbeddedError(f"PostgreSQL cannot make its files in {directory}: {_reason(made)}")
    draft.rename(directory)


def check_version(directory: Path, binaries: Binaries) -> None:
    """Raise EmbeddedError if another major version of PostgreSQL made the cluster."""
    version_file = directory / "PG_VERSION"
    found = version_file.read_text().strip() if version_file.exists() else None
    if found is None:
        raise EmbeddedError(f"{directory} is not a PostgreSQL data directory; choose another --data-dir")
    if found != binaries.major:
        raise EmbeddedError(
            f"{directory} was made by PostgreSQL {found} and this is {binaries.major}; "
            "dump it with the old version, or choose another --data-dir"
        )


def write_config(account: Account, data_dir: Path, directory: Path, socket_dir: Path) -> Path:
    """Write the server's configuration beside the cluster, out of its own reach; returns its main file."""
    config = data_dir / "postgres.config"
    config.mkdir(mode=0o755, exist_ok=True)
    config.chmod(0o755)
    paths = {
        "data_directory": directory,
        "hba_file": config / "pg_hba.conf",
        "ident_file": config / "pg_ident.conf",
        "unix_socket_directories": socket_dir,
    }
    lines = [f"{name} = {_quoted(str(path))}\n" for name, path in paths.items()]
    _write(config / "pg_hba.conf", "local all all peer map=samaki\n")
    names = dict.fromkeys((account.name, "root"))
    _write(config / "pg_ident.conf", "".join(f'samaki "{name}" all\n' for name in names))
    _write(config / "postgresql.conf", SETTINGS + "".join(lines))
    return config / "postgresql.conf"


def start(binaries: Binaries, account: Account, directory: Path, config: Path, deadline: float) -> None:
    """Start the server and wait until it answers. Raises EmbeddedError."""
    log = directory / "server.log"
    log.unlink(missing_ok=True)
    # pg_ctl hands these three to a shell, in double quotes: so only names of ours, below the data directory.
    data_dir = directory.parent
    names = [str(path.relative_to(data_dir)) for path in (directory, log, config)]
    command: list[str | Path] = [binaries.directory / "pg_ctl", "start", "-s", "-w", "-t", "120"]
    arguments = ["-D", names[0], "-l", names[1], "-o", f"-c config_file={names[2]}"]
    started = run_as(account, [*command, *arguments], directory=data_dir)
    if started.code == 0:
        return
    reason = _reason(Outcome(started.code, log.read_text(errors="replace") if log.exists() else started.output))
    if STILL_DYING in reason and time.monotonic() < deadline:
        time.sleep(0.2)  # children of a killed server need a moment to notice; the caller tries again
        return
    raise EmbeddedError(f"PostgreSQL does not start in {directory}: {reason}")


def stop(binaries: Binaries, account: Account, directory: Path) -> None:
    """Stop the server: open transactions are rolled back, everything committed is kept."""
    command: list[str | Path] = [binaries.directory / "pg_ctl", "stop", "-s", "-w", "-t", "120", "-m", "fast"]
    stopped = run_as(account, [*command, "-D", directory])
    if stopped.code != 0 and postmaster_pid(directory) is not None:
        raise EmbeddedError(f"PostgreSQL in {directory} does not stop: {stopped.last_line}")


def postmaster_pid(directory: Path) -> int | None:
    """The process that serves this cluster, or None. The number in postmaster.pid may belong to somebody
    else since a kill -9 or a restart of the machine, so the process must also work in the cluster."""
    try:
        pid = int((directory / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, 0)
    except PermissionError:
        return None
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError, ProcessLookupError):
        return None
    if not Path("/proc/self").exists():
        return pid
    try:
        return pid if Path(f"/proc/{pid}/cwd").samefile(directory) else None
    except OSError:
        return None


def forget_dead_server(directory: Path, socket_dir: Path) -> None:
    """PostgreSQL itself believes a stale file whose number now belongs to another of our processes, or
    to its own corpse that nobody has buried yet. Its shared memory still keeps a second server out."""
    stale = (directory / "postmaster.pid", socket_dir / SOCKET_NAME, socket_dir / f"{SOCKET_NAME}.lock")
    for path in stale:
        path.unlink(missing_ok=True)


def _reason(outcome: Outcome) -> str:
    """The line that says why, without PostgreSQL's time stamp."""
    lines = outcome.output.splitlines()
    fatal = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "error:"))]
    return fatal[-1].split(": ", 1)[1].strip() if fatal else outcome.last_line


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _write(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as draft:
        draft.write(text)
    Path(draft.name).chmod(0o644)  # the server's account reads it and cannot change it
    Path(draft.name).replace(path)
