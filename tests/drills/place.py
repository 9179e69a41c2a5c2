"""Where drills take place: a PostgreSQL, API processes and a worker of their own, and people who write cases."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import httpx
import psycopg

from app import schema
from app.cli import address
from app.database_urls import DatabaseUrls
from app.embedded import EmbeddedPostgres
from app.embedded.account import account_for, run_as
from app.embedded.binaries import find_binaries
from app.keys import ensure
from app.main import build_runtime
from app.models.codes.people import Role
from app.settings import Settings, UrlSetting, child_environment
from tests.cast import AREAS, Cast, FrozenClock, add_cast

WRITERS = 16
PROCESSES = 2
PATIENCE_SECONDS = 60
PROJECT = Path(__file__).parent.parent.parent


class RunningClock(FrozenClock):
    """Time that passes: the processes of a drill live in the real one."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Process:
    """One `python -m app …` that may be killed and started again."""

    arguments: list[str]
    environment: dict[str, str] = field(repr=False)
    output: IO[bytes]
    descriptors: tuple[int, ...] = ()
    running: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start, or start again; it ends with us, when its standard input closes."""
        self.running = subprocess.Popen(
            [sys.executable, "-m", "app", *self.arguments],
            env=self.environment,
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=self.output,
            pass_fds=self.descriptors,
            start_new_session=True,
        )

    def kill(self) -> None:
        """kill -9, by its id."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send the signal and wait until the process is gone."""
        process, self.running = self.running, None
        if process is not None:
            process.send_signal(number)
            process.wait(PATIENCE_SECONDS)
            if process.stdin:
                process.stdin.close()


@dataclass
class Place:
    """Everything that a drill needs; `writers` are names of `cast`, each a caseworker."""

    postgres: EmbeddedPostgres
    urls: DatabaseUrls
    settings: Settings
    cast: Cast
    listener: socket.socket
    apis: list[Process]
    worker: Process
    writers: list[str]

    @contextmanager
    def everything(self) -> Iterator[psycopg.Connection]:
        """A connection that sees every row."""
        with psycopg.connect(self.urls.admin, autocommit=True) as connection:
            yield connection

    def client(self, writer: int = 0, connections: int = 1) -> httpx.AsyncClient:
        """Calls the API through a real socket as one of the writers."""
        name = self.writers[writer % len(self.writers)]
        token, _ = self.cast.runtime.tokens.issue(self.cast.users[name].id, self.cast.sessions[name], self.cast.clock())
        return httpx.AsyncClient(
            base_url=f"{address.url(self.listener)}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE_SECONDS,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    async def start_api(self) -> None:
        """Start every API process that does not run, and wait until one answers."""
        for api in self.apis:
            if api.running is None:
                api.start()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await asyncio.to_thread(address.answers, self.listener):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.02)

    def stop_postgres(self, mode: str) -> None:
        """Stop the server as its administrator may: `fast`, or `immediate`, which is a crash."""
        account = account_for(self.postgres.directory)
        program = find_binaries(account).directory / "pg_ctl"
        stopped = run_as(account, [program, "stop", "-s", "-w", "-m", mode, "-D", self.postgres.directory])
        assert stopped.code == 0 or not self.postgres.running, stopped.last_line

    def start_postgres(self) -> None:
        """Start the server if it does not run; it goes on for as long as the place."""
        with EmbeddedPostgres(self.postgres.data_dir):
            pass

    def command(self, *arguments: str) -> str:
        """Run a command of `samaki` to its end, on the running server; gives what it printed."""
        environment = child_environment(Settings(data_dir=self.postgres.data_dir), [])
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            env=environment,
            cwd=PROJECT,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def end(self) -> None:
        """End every process in order."""
        for process in (*self.apis, self.worker):
            process.end()


@contextmanager
def directory(parent: Path | None = None) -> Iterator[Path]:
    """A directory that PostgreSQL's own account may pass, gone after the block."""
    path = Path(tempfile.mkdtemp(prefix="samaki-drill-", dir=parent))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@asynccontextmanager
async def place(data_dir: Path, logs: Path, processes: int = PROCESSES) -> AsyncIterator[Place]:
    """Everything up and answering below `data_dir`; what the processes say goes into `logs`."""
    ensure(data_dir / "keys")
    plain = Settings(data_dir=data_dir, requests_per_minute=100_000_000)
    with EmbeddedPostgres(data_dir) as postgres, (logs / "output").open("wb") as output:
        urls = DatabaseUrls.from_embedded(postgres)
        _migrate(urls)
        settings = urls.into(plain)
        with address.listen("127.0.0.1", 0) as listener:
            cast, writers = await _people(settings)
            apis = [_api(settings, listener, output) for _ in range(processes)]
            worker = _process(settings, ["worker", "--supervised"], ["database_url", "worker_database_url"], output)
            made = Place(postgres, urls, settings, cast, listener, apis, worker, writers)
            try:
                worker.start()
                await made.start_api()
                yield made
            finally:
                made.end()
                made.start_postgres()  # whatever a drill has left behind, the server is stopped in order


def _migrate(urls: DatabaseUrls) -> None:
    schema.prepare(urls.admin)
    schema.upgrade(urls.owner)
    with psycopg.connect(urls.owner) as connection:
        for code, level, parent in AREAS:
            row = (code, level.value, "ភូមិ", parent)
            connection.execute("insert into areas (code, level, name_km, parent) values (%s, %s, %s, %s)", row)


async def _people(settings: Settings) -> tuple[Cast, list[str]]:
    clock = RunningClock()
    runtime = build_runtime(settings)
    writers = [f"writer_{number}" for number in range(WRITERS)]
    async with httpx.AsyncHTTPTransport() as transport, Cast(transport, runtime, clock) as cast:
        await add_cast(cast)
        for name in writers:
            await cast.add(name, Role.CASEWORKER, "ngo", [])
    await runtime.database.close()
    return cast, writers


def _api(settings: Settings, listener: socket.socket, output: IO[bytes]) -> Process:
    arguments = ["api", "--descriptor", str(listener.fileno())]
    return _process(settings, arguments, ["database_url", "reports_database_url"], output, listener.fileno())


def _process(
    settings: Settings, arguments: list[str], urls: list[UrlSetting], output: IO[bytes], *descriptors: int
) -> Process:
    return Process(arguments, child_environment(settings, urls), output, descriptors)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of its own in memory. Raises PermissionError where this process may not mount one."""
    if os.geteuid() != 0:
        raise PermissionError("only root may mount a small disk")
    with directory() as point:
        mount, unmount = shutil.which("mount"), shutil.which("umount")
        options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=711", "samaki-drill"]
        made = mount and unmount and subprocess.run([mount, *options, point], check=False, capture_output=True)
        if not made or made.returncode != 0:
            raise PermissionError("this machine lets nobody mount a small disk")
        try:
            yield point
        finally:
            subprocess.run([str(unmount), point], check=True)
