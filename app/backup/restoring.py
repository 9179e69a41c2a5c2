"""`samaki restore`: into an empty database, checked in every way, and served only when all of it is well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app import audit_check, schema
from app.backup import contents, shelf
from app.backup.empty import mark_and_clear, refuse_unless_empty, unmark
from app.backup.loading import check_counts, load
from app.backup.manifest import NAME, BackupError, Manifest, read_manifest
from app.backup.programs import Programs
from app.backup.sample import open_all_keys, open_some_rows
from app.backup.saving import FILES
from app.database_urls import DatabaseUrls
from app.erasures import Ledger, replay_erasures
from app.key_pairs import AuditKey
from app.keys import KeyStore
from app.sealing.key_encryption import LocalKeys
from app.settings import SetupError

Look = Callable[[str], None]


@dataclass(frozen=True)
class Installation:
    """Where a backup goes, the keys that must open it, and the ledger of what was erased since.

    `walls` raises SetupError unless row level security is forced wherever it must be.
    """

    urls: DatabaseUrls
    programs: Programs
    keys: KeyStore
    audit_keys: Sequence[AuditKey]
    kek: LocalKeys
    now: datetime
    ledger: Ledger
    walls: Callable[[], object]


@dataclass(frozen=True)
class Parts:
    """Both parts of one backup, looked at byte for byte."""

    data: Path
    keys: Path
    manifest: Manifest
    keys_manifest: Manifest


@dataclass(frozen=True)
class Restored:
    """What was checked before the database was let out."""

    rows: int
    keys: int
    opened: dict[str, int]
    audit_rows: int
    erased_again: int


def find(place: Path, keys_place: Path | None, keys: KeyStore) -> Parts:
    """Both parts of the backup in `place`, whole and of this installation. Raises BackupError."""
    data = shelf.newest(place)
    manifest = read_manifest(data, "backup")
    manifest.check_whole(data, keys)
    wrapped = shelf.part(keys_place or data.parent, "keys", manifest.name)
    if not (wrapped / NAME).exists():
        raise BackupError(
            f"{wrapped} is not there: the wrapped data keys of a backup are kept for {shelf.KEYS_KEPT.days} days,"
            " and elsewhere when it was made so (--keys-from)"
        )
    keys_manifest = read_manifest(wrapped, "keys")
    keys_manifest.check_whole(wrapped, keys)
    if keys_manifest.name != manifest.name:
        raise BackupError(f"{wrapped} belongs to another backup")
    return Parts(data, wrapped, manifest, keys_manifest)


def restore(into: Installation, parts: Parts, look: Look = lambda _: None) -> Restored:
    """Fill the database and check it. When this raises, the database is as it was, or is marked and never served.

    Raises SetupError.
    """
    _refuse_before_anything_changes(into, parts)
    schema.prepare(into.urls.admin)
    mark_and_clear(into.urls.owner)
    try:
        done = _fill_and_check(into, parts, look)
    except SetupError as error:
        raise BackupError(f"{error}; nothing serves this database until a restore ends well") from error
    unmark(into.urls.owner)
    return done


def _fill_and_check(into: Installation, parts: Parts, look: Look) -> Restored:
    files = [parts.data / FILES["backup"], parts.keys / FILES["keys"]]
    load(into.urls.owner, into.programs, parts.manifest, files, into.now, look)
    with schema.connected(into.urls.owner) as connection:
        look("counting rows")  # now: migrations from here on may move rows
        check_counts(connection, {**parts.manifest.counts, **parts.keys_manifest.counts})
    look("making policies and functions")
    schema.upgrade(into.urls.owner)
    into.walls()
    done = _check(into, parts, look)
    look("erasing again what was erased since")
    return Restored(*done, replay_erasures(into.urls.worker, into.ledger))


def _refuse_before_anything_changes(into: Installation, parts: Parts) -> None:
    if not schema.knows(parts.manifest.revision):
        raise BackupError(
            f"the backup is of revision {parts.manifest.revision}, which this version does not know:"
            " restore it with the version that made it, or a later one"
        )
    for kek_id, file in parts.keys_manifest.kek_ids.items():
        if kek_id not in into.kek.known:
            named = file or "its kek-*.key file"
            raise BackupError(f"the key-encryption key {kek_id} is missing: restore {named} from the copy of key files")
    if parts.manifest.erasures and not into.ledger.reaches(*parts.manifest.erasures):
        raise BackupError(
            f"the erasure ledger {into.ledger.path} has fewer erasures than this backup knows of: restore the ledger's"
            " newest copy, or erased cases would come back"
        )
    with schema.connected(into.urls.admin) as connection:
        into.programs.fit("pg_restore", connection.info.server_version // 10000)
    refuse_unless_empty(into.urls)


def _check(into: Installation, parts: Parts, look: Look) -> tuple[int, int, dict[str, int], int]:
    """What must open and verify, as the backup role sees it through the finished walls. Raises BackupError."""
    with schema.connected(into.urls.backup) as connection:
        if contents.heads(connection) != parts.manifest.heads:
            raise BackupError("the heads of the trail are not those that the backup was made with")
        look("opening data keys and a sample of rows")
        keys = open_all_keys(connection, into.kek)
        opened = open_some_rows(connection, into.kek)
    with schema.connected(into.urls.backup) as connection:
        look("verifying the trail")
        found = audit_check.verify(connection, into.audit_keys)
    if found.faults:
        raise BackupError(f"the trail does not verify: {found.faults[0]}")
    rows = sum(parts.manifest.counts.values()) + sum(parts.keys_manifest.counts.values())
    return rows, keys, opened, found.rows
