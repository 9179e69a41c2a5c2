"""Child processes of `samaki serve`: started again when they fall, stopped when it stops."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import typer

from app.settings import SetupError

STOP_SECONDS = 15
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60  # a child that lived so long has earned a quick restart


@dataclass
class Child:
    """One `python -m app …` with its own environment; `descriptors` are open files that it inherits."""

    name: str
    arguments: list[str]
    environment: dict[str, str] = field(repr=False)
    descriptors: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    pause: float = 0.5

    def start(self) -> None:
        """Start, or start again. Its standard input is a pipe that closes when this process ends."""
        self.forget()
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", *self.arguments],
            env=self.environment,
            stdin=subprocess.PIPE,
            pass_fds=self.descriptors,
            start_new_session=True,  # Ctrl-C is for us; we pass it on in order
        )

    def forget(self) -> None:
        """Close our end of the pipe of a child that has ended."""
        if self.process and self.process.stdin:
            self.process.stdin.close()

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self.process.poll() if self.process else None


class Children:
    """The children of one `with` block; at its end all are stopped."""

    def __init__(self, *children: Child) -> None:
        self.children = children
        self._due: dict[str, float] = {}

    def __enter__(self) -> Self:
        for child in self.children:
            child.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        running = [child.process for child in self.children if child.process and child.exit_code is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for child in self.children:
            child.forget()

    def all_well(self) -> None:
        """Raise SetupError if any child has ended: while starting, that is a fault of the set-up."""
        for child in self.children:
            if child.exit_code is not None:
                raise SetupError(f"the {child.name} stopped while starting; it said why above")

    def watch(self) -> None:
        """Start again whoever falls, after a pause that doubles up to half a minute; never returns."""
        while True:
            for child in self.children:
                if child.exit_code is not None:
                    self._revive(child)
            time.sleep(0.1)

    def _revive(self, child: Child) -> None:
        now = time.monotonic()
        if child.name not in self._due:
            steady = now - child.started_at > STEADY_SECONDS
            child.pause = 0.1 if steady else min(child.pause * 2, LONGEST_PAUSE)
            self._due[child.name] = now + child.pause
            typer.echo(f"samaki: the {child.name} ended ({child.exit_code}); starting it again", err=True)
        if now >= self._due[child.name]:
            del self._due[child.name]
            child.start()
