"""What is backed up is one whole moment, or is refused; what lies in it is readable by nobody without the key files."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.backup import contents
from app.backup.manifest import BackupError, read_manifest
from app.backup.programs import Programs
from app.backup.saving import FILES, Saved, save
from app.database_urls import DatabaseUrls
from app.keys import add_key_encryption_key, ensure
from app.schema import SchemaError
from tests.backups import NOW, Source, empty, misbehaving, source, tools
from tests.cases import intake
from tests.database import Server

MARKER = "Zquxomarkerz"


@pytest.fixture(scope="module")
async def at(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Source]:
    async with source(server, template, tmp_path_factory.mktemp("source") / "keys") as made:
        yield made


@pytest.fixture(scope="module")
async def saved(at: Source, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """A good backup, to be copied before anything is done to it."""
    return at.save(tmp_path_factory.mktemp("good") / "place")


@pytest.fixture
async def place(saved: Saved, tmp_path: Path) -> Path:
    """A copy of the good backup."""
    return Path(shutil.copytree(saved.data.parent, tmp_path / "place"))


def names(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()} if place.exists() else set()


# Whole, or refused.


@pytest.mark.parametrize("role", ["runtime", "owner", "worker"])
async def test_a_backup_that_a_role_without_sight_would_make_empty_is_refused(
    at: Source, tmp_path: Path, role: str
) -> None:
    blind = replace(at.urls, backup=getattr(at.urls, role))
    with pytest.raises(BackupError, match=f"samaki_{role} does not see past the row policies"):
        at.save(tmp_path / "place", urls=blind)
    assert names(tmp_path / "place") == set()


async def test_rows_that_a_policy_hides_are_an_error_and_never_a_smaller_number(at: Source) -> None:
    with psycopg.connect(at.urls.owner) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        contents.count(connection)


async def test_zero_rows_are_no_backup(at: Source, fresh_database: DatabaseUrls, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="zero rows"):
        at.save(tmp_path / "place", urls=fresh_database)
    with empty(at.server) as unmigrated, pytest.raises(BackupError, match="not migrated"):
        at.save(tmp_path / "place", urls=unmigrated)
    assert names(tmp_path / "place") == set()


async def test_a_dump_that_holds_fewer_rows_than_there_were_is_refused(at: Source, tmp_path: Path) -> None:
    forgetful = misbehaving(tmp_path / "bin", "pg_dump", 'exec "$REAL" "$@" --exclude-table-data=notes')
    with pytest.raises(BackupError, match=r"public\.notes has \d+ rows and 0 of them"):
        at.save(tmp_path / "place", programs=forgetful)
    assert names(tmp_path / "place") == set()


async def test_a_backup_that_is_cut_off_leaves_nothing_that_passes_for_whole(at: Source, tmp_path: Path) -> None:
    cut = misbehaving(
        tmp_path / "bin", "pg_dump", 'case "$*" in --version) ;; *vault*keys.dump*) exit 1;; esac; exec "$REAL" "$@"'
    )
    place = tmp_path / "place"
    with pytest.raises(BackupError, match="pg_dump stops"):
        at.save(place, programs=cut)
    assert names(place) == set()
    (place / ".draft-backup-20260101T000000Z").mkdir()
    at.save(place)
    assert len(names(place)) == 2, "what a killed one has left is removed"
    with pytest.raises(BackupError, match="holds no backup"):
        at.find(tmp_path / "bin")


async def test_programs_that_are_missing_or_of_another_version_are_named(at: Source, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=f"pg_dump is not in {tmp_path}"):
        at.save(tmp_path / "place", programs=Programs(tmp_path))
    old = misbehaving(tmp_path / "bin", "pg_dump", 'echo "pg_dump (PostgreSQL) 12.3"')
    with pytest.raises(BackupError, match="is of PostgreSQL 12 and the server is"):
        at.save(tmp_path / "place", programs=old)


async def test_what_is_written_while_a_backup_runs_is_wholly_in_it_or_not_at_all(
    at: Source, server: Server, tmp_path: Path
) -> None:
    worker = at.on.stage.client("lead")
    loop = asyncio.get_running_loop()
    opened: list[str] = []

    async def open_one() -> str:
        answer = await worker.post("/cases", json=intake())
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def look(what: str) -> None:
        if what.startswith("counting"):
            opened.append(asyncio.run_coroutine_threadsafe(open_one(), loop).result(30))

    before = await open_one()
    await asyncio.to_thread(save, at.order(tmp_path / "place"), look)
    assert len(opened) > 20
    with empty(server) as urls:
        await asyncio.to_thread(at.restore, urls, tmp_path / "place")
        with psycopg.connect(urls.admin) as connection:
            assert _mentions(connection, [before]) >= {"cases", "people", "events", "assignments", "case_access"}
            assert _mentions(connection, opened) == set()


def _mentions(connection: psycopg.Connection[Any], cases: list[str]) -> set[str]:
    """Tables in which one of these cases has a row."""
    query = (
        "select table_name from information_schema.columns where column_name = 'case_id' and table_schema = 'public'"
    )
    columns = {(name, "case_id") for (name,) in connection.execute(query)} | {("cases", "id")}
    return {
        table
        for table, column in columns
        if connection.execute(f"select 1 from {table} where {column}::text = any (%s)".encode(), [cases]).fetchone()
    }


# What lies in it.


async def test_a_stolen_backup_shows_no_private_word_and_holds_no_data_key(at: Source, tmp_path: Path) -> None:
    stage = at.on.stage
    case_id = stage.cases["sensitive"].id
    written = await stage.client("lead").post(f"/cases/{case_id}/notes", json={"text": MARKER})
    assert written.status_code == 201
    saved = await asyncio.to_thread(at.save, tmp_path / "place")
    data = b"".join(tools(at.server).lines([saved.data / FILES["backup"]]))
    assert case_id.encode() in data
    assert MARKER.encode() not in data
    assert b"data_keys" not in data
    with at.superuser() as admin:
        found = admin.execute("select wrapped from vault.data_keys where home = %s", [case_id]).fetchone()
    assert found is not None
    wrapped = bytes(found[0]).hex().encode()
    keys = b"".join(tools(at.server).lines([saved.keys / FILES["keys"]]))
    assert wrapped in keys
    assert wrapped not in data


async def test_a_backup_is_for_its_owner_alone_and_says_what_it_needs(at: Source, saved: Saved) -> None:
    for directory in (saved.data, saved.keys):
        assert directory.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    manifest = read_manifest(saved.keys, "keys")
    (file,) = (path.name for path in at.keys_dir.glob("kek-*.key"))
    assert set(manifest.kek_ids.values()) == {file}
    assert all(not path.name.startswith("kek") for path in saved.data.parent.rglob("*"))


async def test_wrapped_keys_go_to_a_place_of_their_own_when_there_is_one(at: Source, tmp_path: Path) -> None:
    apart = at.save(tmp_path / "place", keys_place=tmp_path / "vault")
    assert names(tmp_path / "place") == {apart.data.name}
    assert names(tmp_path / "vault") == {apart.keys.name}
    assert at.find(tmp_path / "place", tmp_path / "vault").keys == apart.keys
    with pytest.raises(BackupError, match="is not there"):
        at.find(tmp_path / "place")


async def test_a_backup_goes_neither_among_strangers_files_nor_beside_the_key_files(at: Source, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").touch()
    with pytest.raises(BackupError, match="is not empty and holds no backup"):
        at.save(tmp_path / "letters")
    with pytest.raises(BackupError, match="must not lie beside"):
        at.save(tmp_path / "place", keys_place=at.keys_dir)
    assert names(tmp_path / "place") == set()
    assert names(tmp_path / "letters") == {"letter.txt"}


async def test_a_database_whose_keys_are_not_here_is_not_backed_up(at: Source, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="nobody could open this backup"):
        at.save(tmp_path / "place", key_files={"0123456789abcdef": None})
    assert names(tmp_path / "place") == set()


async def test_wrapped_keys_are_kept_for_thirty_days_and_nothing_else_is_removed(at: Source, tmp_path: Path) -> None:
    place = tmp_path / "place"
    first = at.save(place)
    (place / "keys-of-the-house").mkdir()
    (place / "keys-of-the-house" / "manifest.json").write_text("{}")
    second = at.save(place, now=NOW + timedelta(days=30))
    assert second.removed == []
    (first.keys / "letter.txt").touch()
    third = at.save(place, now=NOW + timedelta(days=30, seconds=1))
    assert third.removed == [first.keys.name]
    assert names(first.keys) == {"letter.txt"}
    assert {second.keys.name, third.keys.name, "keys-of-the-house", first.data.name} <= names(place)
    with pytest.raises(BackupError, match="kept for 30 days"):
        at.find(first.data)


# Before a restore begins.


@pytest.mark.parametrize("part", ["data", "keys"])
@pytest.mark.parametrize("where", [0.0, 0.5, 0.999])
async def test_a_backup_with_one_byte_flipped_is_refused(
    at: Source, saved: Saved, place: Path, part: str, where: float
) -> None:
    file = next((place / getattr(saved, part).name).glob("*.dump"))
    content = bytearray(file.read_bytes())
    content[int(len(content) * where)] ^= 1
    file.write_bytes(content)
    with pytest.raises(BackupError, match=r"\.dump is not what was written"):
        at.find(place)


@pytest.mark.parametrize("part", ["data", "keys"])
async def test_a_truncated_part_is_refused_with_its_sizes(at: Source, saved: Saved, place: Path, part: str) -> None:
    file = next((place / getattr(saved, part).name).glob("*.dump"))
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(BackupError, match=f"is {size - 1} bytes and was written with {size}"):
        at.find(place)
    file.unlink()
    with pytest.raises(BackupError, match="cannot be read"):
        at.find(place)


@pytest.mark.parametrize("part", ["data", "keys"])
async def test_a_manifest_that_somebody_wrote_anew_is_refused(at: Source, saved: Saved, place: Path, part: str) -> None:
    file = place / getattr(saved, part).name / "manifest.json"
    file.write_text(file.read_text().replace('"made_at":"2026', '"made_at":"2025').replace('": "2026', '": "2025'))
    with pytest.raises(BackupError, match="was altered, or is another installation's"):
        at.find(place)
    file.write_text("{}")
    with pytest.raises(BackupError, match="is not the manifest of a backup"):
        at.find(place)


async def test_keys_of_another_moment_are_refused(at: Source, saved: Saved, place: Path) -> None:
    later = at.save(place, now=NOW + timedelta(hours=1))
    shutil.rmtree(later.keys)
    shutil.copytree(place / saved.keys.name, later.keys)
    with pytest.raises(BackupError, match="belongs to another backup"):
        at.find(place)


async def test_the_newest_backup_of_a_place_is_meant(at: Source, saved: Saved, place: Path) -> None:
    later = at.save(place, now=NOW + timedelta(hours=1))
    assert at.find(place).data == later.data
    assert at.find(place / saved.data.name).manifest.name == saved.manifest.name


async def test_the_key_files_of_another_installation_are_refused(at: Source, place: Path, tmp_path: Path) -> None:
    ensure(tmp_path / "other")
    add_key_encryption_key(tmp_path / "other")
    other = replace(at, keys_dir=tmp_path / "other")
    with pytest.raises(BackupError, match="another installation's"):
        other.find(place)


async def test_an_unreachable_database_is_said(at: Source, tmp_path: Path) -> None:
    nowhere = replace(at.urls, backup="postgresql://samaki_backup:geheim@127.0.0.1:1/samaki")
    with pytest.raises(SchemaError, match="cannot be reached") as caught:
        at.save(tmp_path / "place", urls=nowhere)
    assert "geheim" not in str(caught.value)
