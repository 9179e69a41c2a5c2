"""`samaki backup`: one moment of the database, the data in one directory and the wrapped data keys in another."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg import IsolationLevel

from app.backup import contents, shelf
from app.backup.contents import Connection
from app.backup.manifest import FORMAT, BackupError, Kind, Manifest, seals
from app.backup.programs import Programs
from app.database_urls import DatabaseUrls
from app.erasures import Ledger
from app.keys import KeyStore
from app.schema import connected, is_unfinished

FILES: dict[Kind, str] = {"backup": "data.dump", "keys": "keys.dump"}
DUMP = ("--data-only", "--format=custom", "--compress=6", "--lock-wait-timeout=60000")
SCHEMAS = {
    "backup": (f"--exclude-schema={contents.VAULT}", *(f"--exclude-table={name}" for name in contents.OF_THE_SCHEMA)),
    "keys": (f"--schema={contents.VAULT}",),
}
NEEDED = "select kek_id from vault.data_keys union select kek_id from vault.key_checks"
# Without these a database is no installation: a wrong address, or one that nobody has used.
SOMEBODY = ("public.users", "public.organisations", "public.cases")

Look = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What to back up, with which keys it must open again, and where to; `key_files` are names by kek id."""

    urls: DatabaseUrls
    programs: Programs
    keys: KeyStore
    key_files: dict[str, str | None]
    place: Path
    keys_place: Path
    now: datetime
    ledger: Ledger


@dataclass(frozen=True)
class Saved:
    """Where both parts are, what they say, and which old keys were removed."""

    data: Path
    keys: Path
    manifest: Manifest
    keys_manifest: Manifest
    removed: list[str]


def save(order: Order, look: Look = lambda _: None) -> Saved:
    """Write both parts of one moment, or nothing. `look` is told what happens now. Raises SetupError."""
    if is_unfinished(order.urls.admin):
        raise BackupError("a restore into this database did not end well: there is nothing whole to back up")
    contents.sees_everything(order.urls.backup)
    try:
        return _save(order, shelf.moment_name(order.now), look)
    except OSError as error:
        raise BackupError(f"the backup cannot be written: {error.strerror}") from None


def _save(order: Order, moment: str, look: Look) -> Saved:
    with ExitStack() as held:
        held.enter_context(shelf.opened(order.place, "backup"))
        if order.keys_place != order.place:
            held.enter_context(shelf.opened(order.keys_place, "keys"))
        data = held.enter_context(shelf.draft(order.place, "backup", moment))
        keys = held.enter_context(shelf.draft(order.keys_place, "keys", moment))
        manifest, keys_manifest = _dump(order, data, keys, moment, look)
        # The keys first: a backup that is there has its keys; keys without a backup go after thirty days.
        keys, data = shelf.finish(keys), shelf.finish(data)
        removed = shelf.remove_old_keys(order.keys_place, order.now)
    return Saved(data, keys, manifest, keys_manifest, removed)


def _dump(order: Order, data: Path, keys: Path, moment: str, look: Look) -> tuple[Manifest, Manifest]:
    with connected(order.urls.backup) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        order.programs.fit("pg_dump", connection.info.server_version // 10000)
        order.programs.fit("pg_restore", connection.info.server_version // 10000)
        row = connection.execute("select pg_export_snapshot()").fetchone()
        snapshot = str(row and row[0])
        manifest, keys_manifest = _described(order, connection, moment, look)
        # The snapshot lives as long as this transaction: both programs see what was counted.
        _run(order, "backup", data / FILES["backup"], snapshot, look)
        _run(order, "keys", keys / FILES["keys"], snapshot, look)
    return _sealed(order, manifest, data, look), _sealed(order, keys_manifest, keys, look)


def _described(order: Order, connection: Connection, moment: str, look: Look) -> tuple[Manifest, Manifest]:
    revision = contents.revision(connection)
    counts = contents.count(connection, lambda table: look(f"counting {table}"))
    if not any(counts.get(table) for table in SOMEBODY):
        raise BackupError("this database holds no account and no case: zero rows are no backup")
    manifest = Manifest(
        format=FORMAT,
        kind="backup",
        name=moment,
        made_at=order.now,
        revision=revision,
        server=str(connection.info.parameter_status("server_version")),
        counts=contents.part_of(counts, vault=False),
        heads=contents.heads(connection),
        erasures=order.ledger.head(),
        files={},
    )
    needed = {kek_id: order.key_files.get(kek_id) for (kek_id,) in connection.execute(NEEDED)}
    missing = sorted(needed.keys() - order.key_files.keys())
    if missing:
        raise BackupError(f"the key-encryption key {missing[0]} is not here: nobody could open this backup")
    keys = {"kind": "keys", "counts": contents.part_of(counts, vault=True), "heads": [], "kek_ids": needed}
    return manifest, manifest.model_copy(update=keys)


def _run(order: Order, kind: Kind, file: Path, snapshot: str, look: Look) -> None:
    arguments = [*DUMP, f"--snapshot={snapshot}", *SCHEMAS[kind], f"--file={file}"]
    order.programs.run("pg_dump", order.urls.backup, arguments, lambda: look(f"writing {_megabytes(file)}"))


def _sealed(order: Order, manifest: Manifest, directory: Path, look: Look) -> Manifest:
    """The finished manifest, after the file was read again: whole, and with as many rows as were counted."""
    name = FILES[manifest.kind]
    look(f"reading {name} again")
    written = rows_in(order.programs, directory / name)
    for table, rows in manifest.counts.items():
        if written[table] != rows:
            raise BackupError(f"{table} has {rows} rows and {written[table]} of them were written: this is no backup")
    whole = manifest.model_copy(update={"files": seals(directory, [name])}).signed(order.keys)
    whole.write(directory)
    return whole


def rows_in(programs: Programs, archive: Path) -> Counter[str]:
    """Rows by table, as `schema.name`, that an archive really holds. Raises BackupError."""
    counts: Counter[str] = Counter()
    table = None
    for line in programs.lines([archive]):
        if table is None:
            if line.startswith(b"COPY "):
                table = line.split(b" ", 2)[1].decode()
        elif line == b"\\.\n":
            table = None
        else:
            counts[table] += 1
    return counts


def _megabytes(file: Path) -> str:
    size = file.stat().st_size if file.exists() else 0
    return f"{file.name}, {size / 1e6:.1f} MB"
