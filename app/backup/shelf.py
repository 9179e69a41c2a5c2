"""A directory that holds backups, or the wrapped keys of backups, and nothing else that is ours to touch."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.backup.manifest import NAME, BackupError, Kind, read_manifest
from app.backup.private_files import publish
from app.keys import KEK_FILES, SIGNING_FILES

KEYS_KEPT = timedelta(days=30)  # an erased case lives on in the keys of a backup, so they may not live long
DRAFT = ".draft-"
MOMENT = re.compile(r"\d{8}T\d{6}Z")
NOT_CONTENT = {"lost+found"}  # at the root of a disk of its own


def moment_name(at: datetime) -> str:
    """`20261128T044500Z`."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def part(shelf: Path, kind: Kind, moment: str) -> Path:
    """Where a part of a backup lies: `backup-…` or `keys-…`."""
    return shelf / f"{kind}-{moment}"


@contextmanager
def opened(shelf: Path, kind: Kind) -> Iterator[None]:
    """The directory for one backup at a time: made when missing, refused when it holds what is not ours.

    Drafts of a backup that was cut off are removed. Raises BackupError.
    """
    try:
        shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(shelf, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise BackupError(f"{shelf} cannot be used for backups: {error.strerror}") from None
    try:
        _take_lock(descriptor, shelf)
        _refuse_strangers(shelf, kind)
        for draft in shelf.glob(f"{DRAFT}{kind}-*"):
            shutil.rmtree(draft)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def draft(shelf: Path, kind: Kind, moment: str) -> Iterator[Path]:
    """A directory (0700) under a temporary name; gone when the block raises, renamed by `finish` when all is well."""
    target = part(shelf, kind, moment)
    if target.exists():
        raise BackupError(f"{target} is there already; wait a second")
    made = shelf / f"{DRAFT}{target.name}"
    try:
        made.mkdir(mode=0o700)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def finish(made: Path) -> Path:
    """Take a draft as whole. Returns where it lies now."""
    target = made.with_name(made.name.removeprefix(DRAFT))
    publish(made, target)
    return target


def newest(place: Path) -> Path:
    """The backup that is meant: `place` itself, or the newest whole one in it. Raises BackupError."""
    if (place / NAME).exists():
        return place
    found = sorted(path for path in place.glob("backup-*") if (path / NAME).exists())
    if not found:
        raise BackupError(f"{place} holds no backup: give the directory that samaki backup wrote")
    return found[-1]


def remove_old_keys(shelf: Path, now: datetime) -> list[str]:
    """Remove wrapped keys that are older than 30 days; returns their names. Only what our own manifests list goes."""
    removed = []
    for directory in sorted(shelf.glob("keys-*")):
        try:
            manifest = read_manifest(directory, "keys")
        except BackupError:
            continue
        if directory.name == f"keys-{manifest.name}" and now - manifest.made_at > KEYS_KEPT:
            for name in (*manifest.files, NAME):
                (directory / Path(name).name).unlink(missing_ok=True)
            if not any(directory.iterdir()):
                directory.rmdir()
            removed.append(directory.name)
    return removed


def _take_lock(descriptor: int, shelf: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BackupError(f"another samaki backup writes to {shelf} now") from None


def _refuse_strangers(shelf: Path, kind: Kind) -> None:
    if any(shelf.glob(KEK_FILES)) or any(shelf.glob(SIGNING_FILES)):
        raise BackupError(f"{shelf} holds key files: what they unwrap must not lie beside them")
    names = {path.name for path in shelf.iterdir()} - NOT_CONTENT
    ours = any((path / NAME).exists() for path in (*shelf.glob("backup-*"), *shelf.glob("keys-*")))
    if names and not ours and not all(name.startswith(DRAFT) for name in names):
        raise BackupError(f"{shelf} is not empty and holds no backup: choose another directory for the {kind} part")
