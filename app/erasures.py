"""The erasure ledger: a file outside database and key backups that says which cases must never come back.

A line is written when its erasure is committed and before anybody is told so. It follows that an acknowledged erasure
is in the file, and that the file names nothing that was not erased; what was cut off between the two is added from the
database's own table at the next start or tick. Each line carries a keyed hash over itself and the line before it.
"""

import fcntl
import hmac
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import psycopg

from app.keys import KeyStore
from app.logs import log
from app.schema import connected
from app.settings import Settings, SetupError

PURPOSE = "erasure-ledger"  # of the keyed hash, from the root secret
NOTHING = "0" * 64  # what the first line follows
AT_ONCE = 1_000

TABLE = "select id, case_id, homes, at from erasure_ledger order by at, id"
REPLAY = "select replay_erasure(%s, %s, %s, %s)"
REVIVED = "select erasures_undone(%s, %s)"


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erased case; `homes` are the ids whose data keys were destroyed with it, `at` is in UTC."""

    id: UUID
    case_id: UUID
    homes: tuple[UUID, ...]
    at: datetime

    @property
    def text(self) -> str:
        """What the hash of its line covers."""
        document = {
            "id": str(self.id),
            "case_id": str(self.case_id),
            "homes": [str(home) for home in self.homes],
            "at": self.at.astimezone(UTC).isoformat(),
        }
        return json.dumps(document, separators=(",", ":"))


Line = tuple[Erasure, str]  # with its hash


def _last(lines: Sequence[Line]) -> str:
    """The hash that the next line follows."""
    return lines[-1][1] if lines else NOTHING


class Ledger:
    """The file. `key` is that of this installation; with another one no line verifies."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path, self._key = path, key

    def entries(self) -> list[Erasure]:
        """Every line, the oldest first; none when there is no file. Raises SetupError where the chain is broken."""
        return [erasure for erasure, _ in self._lines()]

    def head(self) -> tuple[int, str]:
        """How many lines, and the hash of the last: for the manifest of a backup. Raises SetupError."""
        lines = self._lines()
        return len(lines), _last(lines)

    def reaches(self, count: int, mac: str) -> bool:
        """Does the file still hold everything that it held when `head()` gave these? Raises SetupError."""
        lines = self._lines()
        return len(lines) >= count and hmac.compare_digest(_last(lines[:count]), mac)

    def _lines(self) -> list[Line]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SetupError(f"the erasure ledger {self.path} cannot be read: {error.strerror}") from None
        return self._checked(content)

    def append(self, erasures: Sequence[Erasure]) -> None:
        """Add lines, durably, of those that are not there yet; of none: only see whether the file is whole and open.

        Raises OSError or, where the chain is broken, SetupError; then nothing may be acknowledged.
        """
        with self._held() as file:
            content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            file.truncate(len(whole))  # what a kill left of a line
            lines = self._checked(whole)
            known, mac = {erasure.id for erasure, _ in lines}, _last(lines)
            file.seek(0, os.SEEK_END)
            for erasure in erasures:
                if erasure.id not in known:
                    mac = self._mac(mac, erasure.text)
                    file.write(f'{erasure.text[:-1]},"mac":"{mac}"}}\n'.encode())
            file.flush()
            os.fsync(file.fileno())

    def _checked(self, content: bytes) -> list[Line]:
        """The lines with their hashes. A last line without its end was cut off while it was written, and never
        acknowledged: it is not there."""
        lines: list[Line] = []
        for number, line in enumerate(content.split(b"\n")[:-1], 1):
            erasure, written = self._read(number, line)
            if not hmac.compare_digest(self._mac(_last(lines), erasure.text), written):
                raise self._broken(number)
            lines.append((erasure, written))
        return lines

    def _read(self, number: int, line: bytes) -> tuple[Erasure, str]:
        try:
            row = json.loads(line)
            homes = tuple(UUID(home) for home in row["homes"])
            at = datetime.fromisoformat(row["at"])
            return Erasure(UUID(row["id"]), UUID(row["case_id"]), homes, at), str(row["mac"])
        except (ValueError, KeyError, TypeError):
            raise self._broken(number) from None

    def _broken(self, number: int) -> SetupError:
        return SetupError(
            f"line {number} of the erasure ledger {self.path} is altered, misplaced, or of another installation's"
            " keys: restore the ledger's newest copy"
        )

    def _mac(self, before: str, text: str) -> str:
        return hmac.digest(self._key, f"{before}\n{text}".encode(), "sha256").hex()

    @contextmanager
    def _held(self) -> Iterator[BinaryIO]:
        """The file for one writer at a time, made when it is not there."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if new:
                _sync(self.path.parent)
            yield file


def ledger_of(settings: Settings, keys: KeyStore | None = None) -> Ledger:
    """The ledger of these settings. Raises UnusableKey when the keys cannot be read."""
    secret = (keys or KeyStore.load(settings.keys_dir)).secret(PURPOSE)
    return Ledger(settings.erasure_ledger, secret)


def replay_erasures(worker_url: str, ledger: Ledger) -> int:
    """Erase again what the file names and this database still holds, and complete the file; returns how many cases.

    For every start and after every restore, before anything is served. Each case is a transaction of its own, so a
    replay may be cut off and repeated. Raises SetupError for a broken file, or a database that cannot be reached.
    """
    entries = ledger.entries()
    with connected(worker_url) as connection:
        complete(connection, ledger)
        replayed = 0
        for entry in entries:
            with connection.transaction():
                row = connection.execute(REPLAY, [entry.id, entry.case_id, list(entry.homes), entry.at]).fetchone()
            replayed += bool(row and row[0])
    if replayed:
        log.warning("erasures.replayed", count=replayed)
    return replayed


def complete(connection: psycopg.Connection, ledger: Ledger) -> None:
    """Add to the file what the database's table has and the file has not. Raises SetupError."""
    known = {entry.id for entry in ledger.entries()}
    with connection.transaction():
        rows = connection.execute(TABLE).fetchall()
    missing = [Erasure(row[0], row[1], tuple(row[2]), row[3]) for row in rows if row[0] not in known]
    if missing:
        log.warning("erasures.ledger_completed", count=len(missing))
        try:
            ledger.append(missing)
        except OSError as error:
            raise SetupError(f"the erasure ledger {ledger.path} cannot be written: {error.strerror}") from None


def check_erasures(url: str, ledger: Ledger) -> None:
    """Refuse to serve a database in which an erased case has its keys again. `url`: the API's or the worker's role.

    Raises SetupError; `replay_erasures` puts it right.
    """
    with connected(url) as connection:
        entries = ledger.entries()
        for start in range(0, len(entries), AT_ONCE):
            some = entries[start : start + AT_ONCE]
            homes = [home for entry in some for home in entry.homes]
            row = connection.execute(REVIVED, [[entry.case_id for entry in some], homes]).fetchone()
            if row and row[0]:
                raise SetupError(
                    "this database holds the keys of cases that were erased: run samaki erasures replay first"
                )


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
