"""Making and restoring backups of a database with a furnished stage, and programs of PostgreSQL that misbehave."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from app.backup import contents
from app.backup.programs import Programs, programs
from app.backup.restoring import Installation, Parts, Restored, find, restore
from app.backup.saving import Order, Saved, save
from app.cli.check import check_policies
from app.database_urls import DatabaseUrls
from app.erasures import Ledger
from app.keys import KeyStore, ensure, key_encryption_files, load_audit_keys
from app.sealing.key_encryption import LocalKeys, kek_id, key_encryption
from app.sealing.rotation import check_keys
from app.settings import Settings
from app.settings import settings as process_settings
from tests.cast import answered
from tests.database import Server
from tests.ground import Ground, ground

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Source:
    """A database that is backed up, and the key files that open it."""

    on: Ground
    server: Server
    keys_dir: Path

    @property
    def urls(self) -> DatabaseUrls:
        return self.on.urls

    @property
    def keys(self) -> KeyStore:
        return KeyStore.load(self.keys_dir)

    @property
    def ledger(self) -> Ledger:
        """As the application in front of the source keeps it."""
        return self.on.runtime.ledger

    def order(self, place: Path, **changes: Any) -> Order:
        """What `samaki backup` would ask for."""
        files: dict[str, str | None] = {kek_id(key): name for name, key in key_encryption_files(self.keys_dir).items()}
        order = Order(self.urls, tools(self.server), self.keys, files, place, place, NOW, self.ledger)
        return replace(order, **changes)

    def save(self, place: Path, **changes: Any) -> Saved:
        """A backup in `place`."""
        return save(self.order(place, **changes))

    def find(self, place: Path, keys_place: Path | None = None) -> Parts:
        """Both parts, looked at."""
        return find(place, keys_place, self.keys)

    def restore(self, urls: DatabaseUrls, place: Path, **changes: Any) -> Restored:
        """The newest backup of `place` into a database."""
        return restore(self.into(urls, **changes), self.find(place))

    def into(self, urls: DatabaseUrls, **changes: Any) -> Installation:
        """What `samaki restore` would ask for."""
        kek = key_encryption(Settings(keys_dir=self.keys_dir))
        audit_keys = load_audit_keys(self.keys_dir)

        def walls() -> str:
            return check_policies(urls)

        made = Installation(urls, tools(self.server), self.keys, audit_keys, kek, NOW, self.ledger, walls)
        return replace(made, **changes)

    @contextmanager
    def superuser(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.urls.admin, autocommit=True) as connection:
            yield connection


@asynccontextmanager
async def source(server: Server, template: str, keys_dir: Path) -> AsyncIterator[Source]:
    """A database of one's own with the stage set, and keys of its own."""
    ensure(keys_dir)
    with server.clone(template) as urls:
        check_keys(urls.runtime, key_encryption(Settings(keys_dir=keys_dir)))
        async with ground(urls, keys_dir) as on:
            await _seal_the_rest(on)
            yield Source(on, server, keys_dir)


async def _seal_the_rest(on: Ground) -> None:
    """A row of each sealed kind that the stage lacks."""
    stage, case = on.stage, on.stage.cases["sensitive"]
    lead, path = stage.client("lead"), f"/cases/{case.id}"
    excluded = {"user_id": stage.user("spare_user"), "reason_code": "client_wish", "note": "A cousin."}
    made = answered(await lead.post(f"{path}/exclusions", json=excluded), 201)
    answered(await lead.post(f"{path}/exclusions/{made['id']}/lift", json={"reason": "No cousin."}), 200)
    withdrawn = {"reason": "Changed her mind."}
    answered(await lead.post(f"{path}/consents/{case.ids['consent_id']}/withdraw", json=withdrawn), 200)
    answer = {"answer": "somebody_else", "reason": "Another village."}
    answered(await lead.post(f"{path}/screening/{case.ids['match_id']}/answer", json=answer), 200)
    grant = stage.one("select id::text from break_glass_grants where user_id = %s", stage.user("glass"))
    reviewed = {"finding": "justified", "note": "Was needed."}
    answered(await stage.client("stub").post(f"/break-glass/{grant}/review", json=reviewed), 200)


def tools(_server: Server) -> Programs:
    """The programs that fit the server of the tests."""
    return programs(process_settings())


@contextmanager
def empty(server: Server, template: str | None = None) -> Iterator[DatabaseUrls]:
    """A database without anything in it, or only migrated."""
    name = f"samaki_restored_{uuid4().hex[:12]}"
    server.create(name, template)
    try:
        yield server.urls(name)
    finally:
        server.drop(name)


def misbehaving(directory: Path, name: str, script: str) -> Programs:
    """The real programs with a script in the place of one; `$REAL` is that one."""
    real = programs(process_settings()).path(name).parent
    directory.mkdir()
    for program in ("pg_dump", "pg_restore"):
        (directory / program).symlink_to(real / program)
    (directory / name).unlink()
    (directory / name).write_text(f"#!/bin/sh\nREAL={real / name}\n{script}\n")
    (directory / name).chmod(0o755)
    return Programs(directory)


def rows(urls: DatabaseUrls, *without: str) -> dict[str, str]:
    """A hash of all rows of each table, but of some."""
    found = {}
    with psycopg.connect(urls.admin) as connection:
        for table in contents.tables(connection):
            if table not in without:
                lines = connection.execute(f"select t::text from {table} t order by 1".encode()).fetchall()
                found[table] = hashlib.sha256(repr(lines).encode()).hexdigest()
    return found


def kek_without(keys_dir: Path, name: str) -> LocalKeys:
    """The key-encryption keys of a directory but one."""
    return LocalKeys(key for file, key in key_encryption_files(keys_dir).items() if file != name)
