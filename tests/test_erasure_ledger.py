"""The erasure ledger: what was acknowledged is in it, nobody alters it unseen, and no old backup gets round it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.database_urls import DatabaseUrls
from app.embedded.binaries import INSTALLATION, PACKAGE
from app.erasures import Erasure, Ledger, check_erasures, complete, ledger_of, replay_erasures
from app.keys import load_audit_keys
from app.retention import Retention, retention_days
from app.schema import connected
from app.sealing import KeyRing
from app.security import Runtime
from app.settings import Settings, SetupError, child_environment
from tests.cast import Cast, answered
from tests.database import Server
from tests.test_erasure import ask, confirm, erased_case, reviewed_case
from tests.trail import checked

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
KEY = b"k" * 32


def erasure(homes: int = 1) -> Erasure:
    case_id = uuid4()
    return Erasure(uuid4(), case_id, (case_id, *(uuid4() for _ in range(homes - 1))), NOW)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "apart" / "erasures.jsonl", KEY)


# ---- the file ----


def test_what_is_written_is_read_again_and_never_twice(ledger: Ledger) -> None:
    assert ledger.entries() == []
    some = [erasure(), erasure(3)]
    ledger.append(some[:1])
    ledger.append(some)
    assert ledger.entries() == some
    assert ledger.path.stat().st_mode & 0o777 == 0o600
    assert ledger.path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("change", ["altered", "removed", "swapped", "no json", "no ids"])
def test_a_line_that_was_touched_is_found_and_named(ledger: Ledger, change: str) -> None:
    ledger.append([erasure() for _ in range(4)])
    lines = ledger.path.read_text().splitlines()
    if change == "altered":
        lines[1] = lines[1].replace(json.loads(lines[1])["case_id"], str(uuid4()))
    elif change == "removed":
        del lines[1]
    elif change == "swapped":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        lines[1] = "Sok Dara" if change == "no json" else '{"mac": 1}'
    ledger.path.write_text("\n".join(lines) + "\n")
    for tried in (ledger.entries, ledger.head, lambda: ledger.append([erasure()])):
        with pytest.raises(SetupError, match="line 2 of the erasure ledger"):
            tried()


def test_with_another_installation_s_keys_no_line_holds(ledger: Ledger) -> None:
    ledger.append([erasure()])
    with pytest.raises(SetupError, match="line 1"):
        Ledger(ledger.path, b"x" * 32).entries()


def test_a_line_that_was_cut_off_is_nothing_and_the_next_takes_its_place(ledger: Ledger) -> None:
    first, second = erasure(), erasure()
    ledger.append([first, second])
    ledger.path.write_bytes(ledger.path.read_bytes()[:-20])
    assert ledger.entries() == [first]
    third = erasure()
    ledger.append([third])
    assert ledger.entries() == [first, third]


def test_a_shorter_file_than_a_backup_knew_is_noticed(ledger: Ledger) -> None:
    assert ledger.reaches(*ledger.head())
    ledger.append([erasure(), erasure()])
    known = ledger.head()
    ledger.append([erasure()])
    assert ledger.reaches(*known)
    lines = ledger.path.read_text().splitlines(keepends=True)
    ledger.path.write_text(lines[0])
    assert not ledger.reaches(*known)


# ---- file and database ----


def test_what_was_committed_and_not_yet_written_is_added_at_the_next_start(
    fresh_database: DatabaseUrls, ledger: Ledger
) -> None:
    case_id, own_id = _case_in(fresh_database), uuid4()
    with psycopg.connect(fresh_database.admin) as admin:
        admin.execute(
            "insert into erasure_ledger (id, case_id, organisation_id, homes, at, basis)"
            " select %s, id, organisation_id, array[id], %s, 'request' from cases where id = %s",
            [own_id, NOW, case_id],
        )
    replay_erasures(fresh_database.worker, ledger)
    assert ledger.entries() == [Erasure(own_id, case_id, (case_id,), NOW)]
    with connected(fresh_database.worker) as connection:
        complete(connection, ledger)
    assert len(ledger.entries()) == 1


def test_a_database_that_knows_nothing_of_the_cases_is_left_alone(fresh_database: DatabaseUrls, ledger: Ledger) -> None:
    ledger.append([erasure(), erasure()])
    assert replay_erasures(fresh_database.worker, ledger) == 0
    check_erasures(fresh_database.runtime, ledger)


def test_a_key_that_came_back_alone_is_noticed_and_destroyed(fresh_database: DatabaseUrls, ledger: Ledger) -> None:
    case_id, inner = _case_in(fresh_database), uuid4()
    ledger.append([Erasure(uuid4(), case_id, (case_id, inner), NOW)])
    assert replay_erasures(fresh_database.worker, ledger) == 1
    assert replay_erasures(fresh_database.worker, ledger) == 0
    key = "insert into vault.data_keys (home, case_id, organisation_id, kek_id, wrapped) values (%s, %s, %s, 'x', '')"
    for home, of_case in ((inner, None), (case_id, None), (uuid4(), case_id)):
        with psycopg.connect(fresh_database.admin) as admin:
            admin.execute(key, [home, of_case, uuid4()])
        with pytest.raises(SetupError, match="erasures replay"):
            check_erasures(fresh_database.runtime, ledger)
        assert replay_erasures(fresh_database.worker, ledger) == 1
        check_erasures(fresh_database.runtime, ledger)


def test_replaying_tells_the_trail(fresh_database: DatabaseUrls, ledger: Ledger, keys_dir: Path) -> None:
    case_id = _case_in(fresh_database)
    ledger.append([Erasure(uuid4(), case_id, (case_id,), NOW)])
    replay_erasures(fresh_database.worker, ledger)
    with psycopg.connect(fresh_database.admin) as admin:
        told = admin.execute("select action, reason, case_ids from audit_events").fetchall()
        kept = admin.execute("select basis, at from erasure_ledger").fetchall()
    assert told == [("erase_case", "restored", [case_id])]
    assert kept == [("restored", NOW)]
    assert checked(fresh_database.backup, load_audit_keys(keys_dir)[0]).faults == []


async def test_a_kill_between_commit_and_line_loses_nothing_that_was_acknowledged(
    cast: Cast, database: DatabaseUrls, runtime: Runtime
) -> None:
    """The process dies in the hand-over: nobody was told, and the next start completes the file."""
    case_id = await reviewed_case(cast)
    wish = await ask(cast, case_id)
    script = (
        "import os, sys, psycopg\n"
        "connection = psycopg.connect(sys.argv[1])\n"
        "connection.execute('select from begin_request(%s, %s)', [sys.argv[2], sys.argv[3]])\n"
        "print(connection.execute('select outcome from confirm_erasure(%s, %s)', sys.argv[4:]).fetchone()[0])\n"
        "sys.stdout.flush()\n"
        "connection.commit()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    given = [database.runtime, str(cast.sessions["supervisor"]), cast.clock().isoformat(), case_id, wish["id"]]
    killed = subprocess.run([sys.executable, "-c", script, *given], capture_output=True, check=False)  # noqa: ASYNC221
    assert (killed.returncode, killed.stdout) == (-9, b"erased\n")
    assert case_id not in {str(entry.case_id) for entry in runtime.ledger.entries()}
    replay_erasures(database.worker, runtime.ledger)
    assert case_id in {str(entry.case_id) for entry in runtime.ledger.entries()}


async def test_the_worker_completes_the_file_too_and_is_not_stopped_by_one_that_is_broken(
    cast: Cast, database: DatabaseUrls, tmp_path: Path
) -> None:
    case_id = await erased_case(cast)
    ledger = Ledger(tmp_path / "copy.jsonl", KEY)
    ledger.path.write_text("no line of a ledger\n")
    retention = Retention(ledger, {})
    async with await psycopg.AsyncConnection.connect(database.worker, autocommit=True) as connection:
        assert await retention.tick(connection, cast.clock()) is False
        ledger.path.unlink()
        await retention.tick(connection, cast.clock())
    assert case_id in {str(entry.case_id) for entry in ledger.entries()}


# ---- an old backup ----


PROGRAMS = Path(getattr(find_spec(PACKAGE), "origin", "")).parent / INSTALLATION / "bin"


def _dump(url: str, target: Path, *options: str) -> None:
    subprocess.run([PROGRAMS / "pg_dump", "--dbname", url, "--file", target, *options], check=True)


@contextmanager
def _restored(server: Server, dumps: list[Path]) -> Iterator[DatabaseUrls]:
    """A database with these dumps in it, for the length of the block."""
    name = f"samaki_restored_{uuid4().hex[:12]}"
    server.create(name)
    try:
        for dump in dumps:
            options = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", server.urls(name).admin]
            said = subprocess.DEVNULL
            subprocess.run([PROGRAMS / "psql", *options, "--file", dump], check=True, stdout=said)
        yield server.urls(name)
    finally:
        server.drop(name)


async def test_an_older_backup_restored_with_the_keys_kept_does_not_bring_her_back(
    cast: Cast, database: DatabaseUrls, server: Server, runtime: Runtime, tmp_path: Path, keys_dir: Path
) -> None:
    dumps = [tmp_path / "data.sql", tmp_path / "keys.sql"]
    case_id = await reviewed_case(cast, summary="The marker Kolab.")
    other = await reviewed_case(cast, summary="Another.")
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/notes", json={"text": "Kolab said so."}), 201)
    await ask(cast, case_id)
    _dump(database.admin, dumps[0], "--exclude-schema=vault")
    _dump(database.admin, dumps[1], "--schema=vault")
    await confirm(cast, case_id)
    with _restored(server, dumps) as urls:
        assert _opens(urls, runtime, case_id) == "The marker Kolab.", "the backup would bring her back"
        with pytest.raises(SetupError, match="erasures replay"):
            check_erasures(urls.runtime, runtime.ledger)
        assert replay_erasures(urls.worker, runtime.ledger) >= 1
        check_erasures(urls.runtime, runtime.ledger)
        assert _opens(urls, runtime, case_id) is None
        with psycopg.connect(urls.admin) as admin:
            for table in ("notes", "case_access", "vault.data_keys"):
                query = f"select count(*) from {table} where case_id = %s"
                assert admin.execute(query.encode(), [case_id]).fetchone() == (0,), table
        assert _opens(urls, runtime, other) == "Another.", "nobody else has lost anything"
        for one in (urls, database):
            assert checked(one.backup, load_audit_keys(keys_dir)[0]).faults == []


def _opens(urls: DatabaseUrls, runtime: Runtime, case_id: str) -> str | None:
    """The summary, as whoever holds database and keys can read it."""
    with psycopg.connect(urls.admin) as admin:
        row = admin.execute("select sealed from cases where id = %s", [case_id]).fetchone()
        key = admin.execute("select kek_id, wrapped from vault.data_keys where home = %s", [case_id]).fetchone()
    if row is None or key is None:
        return None
    ring, home = KeyRing(runtime.kek), UUID(case_id)
    ring.add(home, *key)
    summary: str = ring.open("cases", home, home, bytes(row[0]))["summary"]
    return summary


# ---- settings and commands ----


def test_each_category_has_its_days_and_a_wrong_one_is_refused() -> None:
    days = retention_days(Settings(retention_days=100, retention_days_by_category=["domestic_violence=0"]))
    assert (days["domestic_violence"], days["id_poor"]) == (0, 100)
    with pytest.raises(SetupError, match="which is no category"):
        retention_days(Settings(retention_days_by_category=["gossip=3"]))
    with pytest.raises(ValueError, match="each is a category and its days"):
        Settings(retention_days_by_category=["domestic_violence"])


def test_the_command_replays_and_says_how_many(
    fresh_database: DatabaseUrls, keys_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, path = _case_in(fresh_database), tmp_path / "ledger.jsonl"
    monkeypatch.setattr("app.settings._current", None)
    chosen = fresh_database.into(Settings(data_dir=tmp_path, keys_dir=keys_dir, erasure_ledger=path))
    ledger_of(chosen).append([Erasure(uuid4(), case_id, (case_id,), NOW)])
    urls = ["database_url", "owner_database_url", "worker_database_url", "reports_database_url"]
    environment = child_environment(chosen, [*urls, "backup_database_url", "loader_database_url"])  # type: ignore[list-item]
    for name, value in environment.items():
        if name.startswith("SAMAKI_") and name != "SAMAKI_DATA_DIR":
            monkeypatch.setenv(name, value)
    for done in (1, 0):
        monkeypatch.setattr("app.settings._current", None)
        said = CliRunner().invoke(cli, ["erasures", "replay"])
        assert said.exit_code == 0, said.output
        assert "1 erasures in " in said.output
        assert f", {done} of them done again" in said.output


def _case_in(urls: DatabaseUrls) -> UUID:
    """The barest case."""
    case_id, person_id, user_id, organisation_id = (uuid4() for _ in range(4))
    with psycopg.connect(urls.admin) as admin:
        admin.execute(
            "insert into organisations (id, version, created_at, updated_at, name, name_km, kind, active, signatory,"
            " staff_principal, supervisors_principal, assistance_ceiling_khr_minor, assistance_ceiling_usd_minor,"
            " programme_communes)"
            " values (%s, 1, now(), now(), 'x', 'x', 'ngo', true, true, gen_random_uuid(), gen_random_uuid(), 1, 1,"
            " '[]')",
            [organisation_id],
        )
        admin.execute(
            "insert into users (id, version, created_at, updated_at, username, display_name, role, language, active,"
            " system, principal) values (%s, 1, now(), now(), %s, 'x', 'admin', 'km', true, false, gen_random_uuid())",
            [user_id, str(user_id)],
        )
        values: dict[str, Any] = {"case": case_id, "person": person_id, "user": user_id, "org": organisation_id}
        admin.execute(
            "insert into cases (id, version, created_at, updated_at, code, organisation_id, category, sensitivity,"
            " status, priority, risk_level, commune_code, client_id, client_sex, client_age_band, opened_at,"
            " team_version, created_by, sealed) values (%(case)s, 1, now(), now(), 'TEST', %(org)s, 'id_poor',"
            " 'standard', 'intake', 'routine', 'not_assessed', '170201', %(person)s, 'female', 'unknown', now(), 1,"
            " %(user)s, 'sealed')",
            values,
        )
        admin.execute(
            "insert into people (id, version, created_at, updated_at, organisation_id, case_id, role, sex, created_by,"
            " sealed) values (%(person)s, 1, now(), now(), %(org)s, %(case)s, 'client', 'female', %(user)s, 'sealed')",
            values,
        )
    return case_id
