"""What a part of a backup says about itself: its moment, its files, what it must hold, and that it is ours.

The keyed hash is made with the installation's root secret, so a manifest that anybody else wrote is refused.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from app.backup.private_files import write_private
from app.keys import KeyStore
from app.settings import SetupError

NAME = "manifest.json"
FORMAT = 1
PURPOSE = "backup-manifest"  # of the keyed hash, from the root secret

Kind = Literal["backup", "keys"]


class BackupError(SetupError):
    """A backup cannot be made, is not whole, or is not of this installation; one sentence that says which."""


class FileSeal(BaseModel):
    """One file as it was written: its size in bytes and its SHA-256 in hex."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int
    sha256: str


class Manifest(BaseModel):
    """`name` is the moment, the same for both parts; `counts` are rows by table; `heads` are shard, seq and hash of the
    trail; `kek_ids` are the key-encryption keys that the wrapped data keys need, with their files' names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    kind: Kind
    name: str
    made_at: datetime
    revision: str
    server: str
    counts: dict[str, int]
    heads: list[tuple[int, int, str]] = []
    erasures: tuple[int, str] | None = None
    kek_ids: dict[str, str | None] = {}
    files: dict[str, FileSeal]
    mac: str = ""

    def signed(self, keys: KeyStore) -> Self:
        """The same with the keyed hash of this installation."""
        return self.model_copy(update={"mac": keys.digest(PURPOSE, self._text()).hex()})

    def write(self, directory: Path) -> None:
        """Write it beside its files, durably."""
        write_private(directory / NAME, self.model_dump_json(indent=1).encode())

    def check_whole(self, directory: Path, keys: KeyStore) -> None:
        """Raises BackupError when the manifest is not ours, or a file is not byte for byte what was written."""
        if not hmac.compare_digest(keys.digest(PURPOSE, self._text()).hex(), self.mac):
            raise BackupError(
                f"{directory / NAME} was altered, or is another installation's: {directory.name} is not restored"
            )
        for name, written in self.files.items():
            found = _found(directory / name)
            if found.size != written.size:
                raise BackupError(f"{directory / name} is {found.size} bytes and was written with {written.size}")
            if found != written:
                raise BackupError(f"{directory / name} is not what was written: its SHA-256 differs")

    def _text(self) -> bytes:
        return json.dumps(self.model_dump(mode="json", exclude={"mac"}), sort_keys=True).encode()


def read_manifest(directory: Path, kind: Kind) -> Manifest:
    """The manifest of a part. Raises BackupError; whether it is ours is `check_whole`'s question."""
    path = directory / NAME
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError:
        raise BackupError(f"{path} is not the manifest of a backup that this version can read") from None
    if manifest.format != FORMAT or manifest.kind != kind:
        raise BackupError(f"{path} is not the manifest of a backup that this version can read")
    return manifest


def seals(directory: Path, names: Iterable[str]) -> dict[str, FileSeal]:
    """Sizes and hashes of files that were just written."""
    return {name: _found(directory / name) for name in names}


def _found(path: Path) -> FileSeal:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return FileSeal(size=file.tell(), sha256=digest)
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from None
