"""A restore is whole, behind the same walls, opened with its keys and verified; or nobody is served from it."""

import fcntl
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from app import schema
from app.backup.manifest import BackupError, Manifest, read_manifest
from app.backup.sample import BY_THE_ROOT, SEALED
from app.backup.saving import Saved
from app.cli.place import database
from app.database_urls import DatabaseUrls
from app.erasures import PURPOSE, Erasure, Ledger
from app.keys import add_key_encryption_key, load_audit_keys
from app.main import create_app
from app.settings import Settings, SetupError, use
from app.settings import settings as process_settings
from tests.backups import NOW, Source, empty, kek_without, misbehaving, rows, source
from tests.cases import intake
from tests.cast import answered
from tests.database import Server
from tests.inventory import differences
from tests.test_cli import refusal
from tests.trail import checked, tamper


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


@pytest.fixture
async def copy(at: Source, place: Path) -> AsyncIterator[DatabaseUrls]:
    """A restored database, to which anything may be done."""
    with empty(at.server) as urls:
        at.restore(urls, place)
        yield urls


def rewritten(at: Source, directory: Path, kind: Any, **changes: Any) -> None:
    """A manifest that says something else, by somebody who has the installation's keys."""
    manifest: Manifest = read_manifest(directory, kind)
    (directory / "manifest.json").unlink()
    manifest.model_copy(update=changes).signed(at.keys).write(directory)


def is_never_served(urls: DatabaseUrls) -> bool:
    """Whether every command but restore refuses this database."""
    chosen = Settings(database_url=SecretStr(urls.runtime), owner_database_url=SecretStr(urls.admin))
    before = process_settings()
    try:
        with database(chosen):
            return False
    except SetupError as error:
        return "samaki restore again" in str(error)
    finally:
        use(before)


@pytest.mark.parametrize("migrated", [False, True])
async def test_what_was_there_is_there_again_behind_the_same_walls(
    at: Source, place: Path, template: str, *, migrated: bool
) -> None:
    with empty(at.server, template if migrated else None) as urls:
        done = at.restore(urls, place)
        changed = {"public.sessions"}
        assert rows(urls, *changed) == rows(at.urls, *changed)
        with psycopg.connect(urls.admin) as connection:
            assert differences(connection) == []
        assert schema.is_current(urls.runtime)
        assert done.opened.keys() == {*SEALED.values(), "attachment_chunks"}
        assert [kind for kind, opened in done.opened.items() if not opened] == []
        assert done.keys > 4
        assert done.audit_rows > 20
        assert not is_never_served(urls)


async def test_every_sealed_column_is_among_those_that_a_restore_opens(at: Source) -> None:
    query = (
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'public' and column_name ~ '(^|_)sealed$'"
    )
    with at.superuser() as admin:
        assert set(admin.execute(query).fetchall()) == SEALED.keys() | BY_THE_ROOT


async def test_work_goes_on_after_a_restore_and_everybody_has_signed_in_anew(at: Source, place: Path) -> None:
    with empty(at.server) as urls:
        at.restore(urls, place)
        with psycopg.connect(urls.admin, autocommit=True) as admin:
            assert admin.execute("select count(*) from sessions where ended_at is null").fetchone() == (0,)
            app = create_app(
                Settings(database_url=SecretStr(urls.runtime), keys_dir=at.keys_dir, demo=True), at.on.clock
            )
            async with app.router.lifespan_context(app):
                transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
                address = "http://samaki.test/api/v1"
                async with httpx.AsyncClient(transport=transport, base_url=address) as client:
                    client.headers["Authorization"] = f"Bearer {_token(at, 'lead')}"
                    case = f"/cases/{at.on.stage.cases['sensitive'].id}"
                    assert (await client.get(case)).status_code == 401, "a stolen phone that was signed out stays out"
                    # As after signing in: the session of a restored person.
                    admin.execute("update sessions set ended_at = null where id = %s", [at.on.stage.session("lead")])
                    assert answered(await client.get(case), 200)["summary"] == "Asks for help."
                    answered(await client.post("/cases", json=intake()), 201)


def _token(at: Source, who: str) -> str:
    stage = at.on.stage
    token, _ = at.on.runtime.tokens.issue(stage.cast.users[stage.name(who)].id, stage.session(who), at.on.clock())
    return token


async def test_numbers_of_transactions_to_come_are_taken_from_restored_rows(
    at: Source, copy: DatabaseUrls, tmp_path: Path
) -> None:
    # On another server a case would look just opened by whoever gets its number, and events would wait for years.
    order = (
        "select array_agg(place order by id) from (select id, dense_rank() over (order by xid) as place from events) e"
    )
    with psycopg.connect(copy.admin, autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute("update events set xid = ((xid::text::numeric + 1000000000) * 1000)::text::xid8")
        admin.execute("update cases set opened_xid = '9000000000000'")
        before = admin.execute(order).fetchone()
    at.save(tmp_path / "another", urls=copy)
    with empty(at.server) as urls:
        at.restore(urls, tmp_path / "another")
        with psycopg.connect(urls.admin) as connection:
            for table, column in (("events", "xid"), ("cases", "opened_xid")):
                query = f"select count(*) from {table} where {column} >= pg_current_xact_id()"
                assert connection.execute(query.encode()).fetchone() == (0,)
            assert connection.execute(order).fetchone() == before


async def test_a_backup_of_an_older_revision_is_brought_up_to_date(at: Source, tmp_path: Path) -> None:
    with empty(at.server) as old, empty(at.server) as urls:
        schema.prepare(old.admin)
        schema.make_tables(old.owner, "0006")  # the first that could be backed up
        with psycopg.connect(old.admin) as admin:
            admin.execute("grant select on all tables in schema public, vault to samaki_backup")
            admin.execute("grant select on all sequences in schema public to samaki_backup")
            admin.execute("grant usage on schema vault to samaki_backup")
            admin.execute("insert into areas (code, level, name_km) values ('17', 'province', 'x')")
            admin.execute(USER)
        at.save(tmp_path / "place", urls=old)
        at.restore(urls, tmp_path / "place")
        assert schema.is_current(urls.runtime)
        with psycopg.connect(urls.admin) as connection:
            assert differences(connection) == []
            assert connection.execute("select count(*) from users where username = 'old'").fetchone() == (1,)


USER = """
    insert into users (id, version, created_at, updated_at, username, display_name, role, language, active, system,
                       principal)
    values (gen_random_uuid(), 1, now(), now(), 'old', 'Old', 'admin', 'km', true, false, gen_random_uuid())
"""


# Refused before anything changes.


async def test_a_restore_into_a_database_with_cases_is_refused_and_changes_nothing(
    at: Source, copy: DatabaseUrls, place: Path
) -> None:
    before = rows(copy)
    with pytest.raises(BackupError, match="this database has cases"):
        at.restore(copy, place)
    assert rows(copy) == before
    assert not is_never_served(copy)


@pytest.mark.parametrize("left", ["people", "users"])
async def test_nor_into_one_with_people_or_accounts_alone(
    at: Source, copy: DatabaseUrls, place: Path, left: str
) -> None:
    with psycopg.connect(copy.admin) as admin:
        admin.execute("set session_replication_role = replica")
        for table in {"cases", "people", "users"} - {left}:
            admin.execute(f"delete from {table}".encode())
    with pytest.raises(BackupError, match=f"this database has {left}"):
        at.restore(copy, place)


async def test_nobody_may_be_at_work_in_the_database(at: Source, place: Path, fresh_database: DatabaseUrls) -> None:
    with psycopg.connect(fresh_database.runtime), pytest.raises(BackupError, match="stop the API and the worker"):
        at.restore(fresh_database, place)


async def test_a_missing_key_encryption_key_is_named_with_its_file(at: Source, place: Path, tmp_path: Path) -> None:
    later = replace(at, keys_dir=Path(shutil.copytree(at.keys_dir, tmp_path / "keys")))
    (file,) = (path.name for path in later.keys_dir.glob("kek-*.key"))
    add_key_encryption_key(later.keys_dir)
    with empty(at.server) as urls:
        with pytest.raises(BackupError, match=f"is missing: restore {file}"):
            later.restore(urls, place, kek=kek_without(later.keys_dir, file))
        assert not is_never_served(urls), "nothing was begun"


async def test_a_backup_of_a_later_version_is_refused(at: Source, saved: Saved, place: Path) -> None:
    rewritten(at, place / saved.data.name, "backup", revision="9999")
    with empty(at.server) as urls, pytest.raises(BackupError, match="revision 9999, which this version does not know"):
        at.restore(urls, place)


# Refused when it does not fit, and never served.


async def refused(at: Source, place: Path, match: str, **changes: Any) -> None:
    """The restore ends badly, and the database is never served."""
    with empty(at.server) as urls:
        with pytest.raises(SetupError, match=match):
            at.restore(urls, place, **changes)
        assert is_never_served(urls)


async def _ready(at: Source, urls: DatabaseUrls) -> int:
    """What a load balancer is told by an API that is there all the same."""
    with psycopg.connect(urls.admin) as admin:
        if admin.execute("select to_regclass('worker_heartbeats') is not null").fetchone() == (True,):
            admin.execute("insert into worker_heartbeats values ('worker', now()) on conflict do nothing")
    app = create_app(Settings(database_url=SecretStr(urls.runtime), keys_dir=at.keys_dir, demo=True), at.on.clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://samaki.test") as client:
            return (await client.get("/health/ready")).status_code


async def test_a_table_with_fewer_rows_than_were_counted_is_found(at: Source, saved: Saved, place: Path) -> None:
    counts = dict(saved.manifest.counts)
    counts["public.notes"] += 1
    rewritten(at, place / saved.data.name, "backup", counts=counts)
    await refused(at, place, r"public\.notes had \d+ rows and has \d+ now")


async def test_data_keys_that_were_lost_are_found(at: Source, saved: Saved, place: Path) -> None:
    counts = dict(saved.keys_manifest.counts)
    counts["vault.data_keys"] += 1
    rewritten(at, place / saved.keys.name, "keys", counts=counts)
    await refused(at, place, r"vault\.data_keys had \d+ rows")


async def test_a_trail_that_ends_elsewhere_than_it_did_is_found(at: Source, saved: Saved, place: Path) -> None:
    shard, seq, digest = saved.manifest.heads[0]
    heads = [(shard, seq + 1, digest), *saved.manifest.heads[1:]]
    rewritten(at, place / saved.data.name, "backup", heads=heads)
    await refused(at, place, "heads of the trail are not those")


BROKEN = {
    "the trail does not verify: shard": "update audit_events set status = 204 where (shard, seq) in"
    " (select shard, max(seq) from audit_events group by shard)",
    "a row of notes cannot be opened": "update notes set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)",
    "a row of break_glass_grants.review cannot be opened": "update break_glass_grants set review_sealed = sealed"
    " where review_sealed is not null",
    "a part of an attachment cannot be opened": "update attachment_chunks set content = set_byte(content, 20,"
    " get_byte(content, 20) # 1)",
    "a data key cannot be unwrapped": "update vault.data_keys set wrapped = set_byte(wrapped, 20,"
    " get_byte(wrapped, 20) # 1) where home = (select max(home::text)::uuid from vault.data_keys)",
    "the database refuses: insert or update on table": "delete from users where id in (select lead_id from cases)",
}


@pytest.mark.parametrize("match", BROKEN)
async def test_what_was_broken_already_when_it_was_backed_up_is_found(
    at: Source, copy: DatabaseUrls, tmp_path: Path, match: str
) -> None:
    with psycopg.connect(copy.admin, autocommit=True) as admin:
        tamper(admin, BROKEN[match])
    at.save(tmp_path / "broken", urls=copy)
    await refused(at, tmp_path / "broken", match)


async def test_walls_that_are_not_there_keep_the_database_shut(at: Source, place: Path) -> None:
    await refused(at, place, "not forced on notes", walls=_refuse)


async def test_a_restore_that_is_cut_off_is_never_served_and_may_be_repeated(
    at: Source, place: Path, tmp_path: Path
) -> None:
    cut = misbehaving(tmp_path / "bin", "pg_restore", 'case "$*" in *keys.dump*) exit 1;; esac; exec "$REAL" "$@"')
    with empty(at.server) as urls:
        with pytest.raises(BackupError, match="pg_restore stops"):
            at.restore(urls, place, programs=cut)
        assert is_never_served(urls)
        with pytest.raises(SetupError):
            at.restore(urls, place, walls=_refuse)
        assert is_never_served(urls)
        assert await _ready(at, urls) == 503, "also for an API that is there all the same"
        at.restore(urls, place)
        assert not is_never_served(urls)
        assert await _ready(at, urls) == 200


def _refuse() -> None:
    raise SetupError("row level security is not forced on notes")


async def test_what_the_server_says_about_a_row_is_not_repeated(at: Source, copy: DatabaseUrls, tmp_path: Path) -> None:
    with psycopg.connect(copy.admin, autocommit=True) as admin:
        admin.execute("alter table users drop constraint users_username_key")
        admin.execute("update users set username = 'somebody'")
    at.save(tmp_path / "twins", urls=copy)
    with empty(at.server) as urls, pytest.raises(BackupError) as caught:
        at.restore(urls, tmp_path / "twins")
    said, _, rest = str(caught.value).partition("; ")
    assert said == "pg_restore stops: the server refuses what is written to users"
    assert rest == "nothing serves this database until a restore ends well"


# What was erased stays erased.


async def test_an_old_backup_with_its_keys_kept_does_not_revive_an_erased_case(at: Source, tmp_path: Path) -> None:
    stage, place = at.on.stage, tmp_path / "old"
    lead, supervisor = stage.client("supervisor_lead"), "stub"
    case_id = answered(await lead.post("/cases", json=intake("domestic_violence")), 201)["id"]
    asked = {"user_id": stage.user(supervisor), "role": "reviewer", "reason": "To confirm."}
    answered(await lead.post(f"/cases/{case_id}/assignments", json=asked), 201)
    at.save(place)
    wish = {"reason_code": "client_wish", "reason": "She asked us to forget her."}
    answered(await lead.post(f"/cases/{case_id}/erasure", json=wish), 201)
    answered(await stage.client(supervisor).post(f"/cases/{case_id}/erasure/confirm"), 204)
    with empty(at.server) as urls:
        assert at.restore(urls, place).erased_again == 1
        with psycopg.connect(urls.admin) as admin:
            keys = "select count(*) from vault.data_keys where home = %s or case_id = %s"
            assert admin.execute(keys, [case_id, case_id]).fetchone() == (0,)
            sees = "select count(*) from case_access where case_id = %s"
            assert admin.execute(sees, [case_id]).fetchone() == (0,)
        assert checked(urls.backup, *load_audit_keys(at.keys_dir)).faults == []
        assert not is_never_served(urls)


async def test_a_ledger_that_has_lost_what_the_backup_knows_is_refused(at: Source, tmp_path: Path) -> None:
    at.ledger.append([Erasure(uuid4(), uuid4(), (), NOW)])
    at.save(tmp_path / "place")
    lost = Ledger(tmp_path / "empty.jsonl", at.keys.secret(PURPOSE))
    with empty(at.server) as urls:
        with pytest.raises(BackupError, match="fewer erasures than this backup knows of"):
            at.restore(urls, tmp_path / "place", ledger=lost)
        assert not is_never_served(urls), "nothing was begun"


# The command itself; the drill restores with it.


async def test_the_command_says_in_one_sentence_why_it_does_not_restore(
    at: Source, place: Path, tmp_path: Path
) -> None:
    machine = tmp_path / "machine"
    machine.mkdir(mode=0o711)
    assert f"{machine / 'keys'} cannot be opened" in refusal("restore", place, "--data-dir", machine)
    shutil.copytree(at.keys_dir, machine / "keys")
    with (machine / "serve.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = refusal("restore", place, "--data-dir", machine, SAMAKI_DATABASE_URL=at.urls.runtime)
    assert "is in use by another samaki serve" in said
    assert "holds no backup" in refusal("restore", tmp_path, "--data-dir", machine)
