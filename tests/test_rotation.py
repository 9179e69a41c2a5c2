"""Keys that do not fit the data are refused, and every data key can be wrapped anew while people work."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.keys import add_key_encryption_key, ensure
from app.sealing.key_encryption import LocalKeys, key_encryption
from app.sealing.rotation import check_keys, needs_rewrapping, rotate
from app.settings import Settings, SetupError
from tests.ground import ground

CASE = {
    "category": "id_poor",
    "commune_code": "170201",
    "summary": "Asks how to apply.",
    "client": {"alias": "One"},
}


def _keys(directory: Path) -> LocalKeys:
    ensure(directory)
    return key_encryption(Settings(keys_dir=directory))


def _older_removed(directory: Path) -> None:
    for path in sorted(directory.glob("kek-*.key"))[:-1]:
        path.unlink()


def test_the_keys_of_another_installation_are_refused(fresh_database: DatabaseUrls, tmp_path: Path) -> None:
    own = _keys(tmp_path / "own")
    check_keys(fresh_database.runtime, own)
    check_keys(fresh_database.runtime, own)
    with pytest.raises(SetupError, match="another installation"):
        check_keys(fresh_database.runtime, _keys(tmp_path / "other"))


async def test_keys_are_wrapped_anew_while_cases_are_opened_and_read(
    fresh_database: DatabaseUrls, tmp_path: Path
) -> None:
    keys_dir = tmp_path / "keys"
    check_keys(fresh_database.runtime, _keys(keys_dir))
    async with ground(fresh_database, keys_dir) as on:
        worker = on.cast.client("caseworker")
        opened = [(await worker.post("/cases", json=CASE)).json()["id"] for _ in range(20)]
        add_key_encryption_key(keys_dir)
        turning = asyncio.create_task(asyncio.to_thread(_rotated, fresh_database, keys_dir))
        answers = []
        while not turning.done():
            made = await worker.post("/cases", json=CASE)
            answers += [made.status_code, (await worker.get("/cases?limit=50")).status_code]
            opened.append(made.json()["id"])
        assert set(answers) <= {200, 201}
        # What this process has made with the key it knew is taken by the next rotation, after which the old key goes.
        _rotated(fresh_database, keys_dir)
        read = [(await worker.get(f"/cases/{case_id}")).status_code for case_id in opened]
        assert set(read) == {200}
    _older_removed(keys_dir)
    _opens_everything(fresh_database, key_encryption(Settings(keys_dir=keys_dir)))


def test_a_rotation_that_was_cut_off_goes_on(fresh_database: DatabaseUrls, tmp_path: Path) -> None:
    keys_dir = tmp_path / "keys"
    old = _keys(keys_dir)
    _put_keys(fresh_database, old, 1_200)
    add_key_encryption_key(keys_dir)
    told: list[tuple[int, int]] = []

    def cut_off(done: int, total: int) -> None:
        told.append((done, total))
        raise InterruptedError

    with pytest.raises(InterruptedError):
        rotate(fresh_database.worker, new := key_encryption(Settings(keys_dir=keys_dir)), cut_off)
    assert told == [(500, 1_200)]
    assert needs_rewrapping(fresh_database.worker, new)
    assert rotate(fresh_database.worker, new, lambda *_: None) == 700
    assert not needs_rewrapping(fresh_database.worker, new)
    _older_removed(keys_dir)
    _opens_everything(fresh_database, key_encryption(Settings(keys_dir=keys_dir)))


def test_a_key_that_somebody_holds_just_then_is_taken_by_the_next_pass(
    fresh_database: DatabaseUrls, tmp_path: Path
) -> None:
    keys_dir = tmp_path / "keys"
    _put_keys(fresh_database, _keys(keys_dir), 40)
    add_key_encryption_key(keys_dir)
    with psycopg.connect(fresh_database.admin) as holder:
        holder.execute("select from vault.data_keys order by home limit 1 for update")
        told: list[tuple[int, int]] = []

        def let_go(done: int, total: int) -> None:
            told.append((done, total))
            holder.rollback()

        assert rotate(fresh_database.worker, key_encryption(Settings(keys_dir=keys_dir)), let_go) == 40
    assert told == [(39, 40), (40, 40)]


def _put_keys(urls: DatabaseUrls, kek: LocalKeys, number: int) -> None:
    with psycopg.connect(urls.loader) as connection:
        for _ in range(number):
            home, organisation = connection.execute("select gen_random_uuid(), gen_random_uuid()").fetchone() or ()
            row = (home, organisation, kek.current, kek.wrap(bytes(range(32)), home))
            connection.execute(
                "insert into vault.data_keys (home, organisation_id, kek_id, wrapped) values (%s, %s, %s, %s)", row
            )


def _rotated(urls: DatabaseUrls, keys_dir: Path) -> int:
    return rotate(urls.worker, key_encryption(Settings(keys_dir=keys_dir)), lambda *_: None)


def _opens_everything(urls: DatabaseUrls, kek: LocalKeys) -> None:
    with psycopg.connect(urls.admin) as connection:
        rows = connection.execute("select home, kek_id, wrapped from vault.data_keys").fetchall()
    assert len(rows) >= 20
    assert all(len(kek.unwrap(kek_id, bytes(wrapped), home)) == 32 for home, kek_id, wrapped in rows)
