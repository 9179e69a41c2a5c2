"""Whoever alters, takes away or swaps one row of the trail is found out, and where; the heads are signed every hour."""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from app import audit_check, audit_heads
from app.audit_heads import Anchor, heads_in, sign_when_due
from app.database_urls import DatabaseUrls
from app.embedded import EmbeddedPostgres
from app.key_pairs import AuditKey
from app.keys import ensure, load_audit_keys
from app.schema import prepare, upgrade
from app.settings import Settings
from tests.cast import answered
from tests.database import Server, embedded_server
from tests.ground import Ground, another
from tests.test_cli import samaki
from tests.trail import Superuser, checked, heads, places, tamper


@dataclass(frozen=True)
class Trail:
    """A stage with a trail behind it, and a chain of which some rows may be broken."""

    on: Ground
    superuser: Superuser
    key: AuditKey
    shard: int
    length: int

    def check(self, **options: Any) -> audit_check.Findings:
        """What is found, as the backup role reads it."""
        return checked(self.on.urls.backup, self.key, **options)

    async def sign(self, anchor: Anchor | None = None, **later: float) -> bool:
        """What the worker does at each of its turns."""
        self.on.clock.advance(**later)
        async with await psycopg.AsyncConnection.connect(self.on.urls.worker, autocommit=True) as connection:
            return await sign_when_due(connection, anchor or Anchor(self.key), self.on.clock())

    def tamper(self, statement: str, *values: Any) -> None:
        """As a superuser who knows how."""
        tamper(self.superuser, statement, *values)


@pytest.fixture
async def trail(server: Server, set_stage: Ground, keys_dir: Path) -> AsyncIterator[Trail]:
    async with another(server, set_stage, keys_dir) as on:
        with psycopg.connect(on.urls.admin, autocommit=True) as superuser:
            lengths = heads(superuser)
            shard = max(lengths, key=lambda one: lengths[one])
            assert lengths[shard] >= 6
            yield Trail(on, superuser, load_audit_keys(keys_dir)[0], shard, lengths[shard])


async def test_a_trail_that_nobody_touched_is_whole(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_check, "BATCH", 3)
    batches: list[int] = []
    found = trail.check(advance=batches.append)
    assert found.faults == []
    assert found.rows == sum(heads(trail.superuser).values()) == sum(batches)
    assert max(batches) == 3, "never more than a batch is in memory"


COLUMNS = {
    "id": "gen_random_uuid()",
    "at": "at + interval '1 microsecond'",
    "actor_id": "gen_random_uuid()",
    "kind": "'export'",
    "action": "'read_nothing'",
    "status": "status + 1",
    "reason": "'of_its_own'",
    "case_ids": "case_ids || gen_random_uuid()",
    "via": "array['forged']",
    "subject_id": "gen_random_uuid()",
    "request_id": "'another-request'",
    "account": "'\\x01'",
    "address": "'\\x01'",
    "counted": "counted + 1",
}


async def test_every_column_of_a_row_is_under_its_hash(trail: Trail) -> None:
    trail.superuser.execute("alter table audit_events drop constraint audit_events_via_beside")
    found = {
        name
        for (name,) in trail.superuser.execute(
            "select column_name from information_schema.columns where table_name = 'audit_events'"
        )
    }
    assert found == {*COLUMNS, "shard", "seq", "hash"}
    kept = "create table kept as select * from audit_events where shard = %s and seq = 3"
    trail.superuser.execute(sql.SQL(kept.replace("%s", str(trail.shard))))
    for column, value in COLUMNS.items():
        trail.tamper(f"update audit_events set {column} = {value} where shard = %s and seq = 3", trail.shard)
        assert places(trail.check()) == {(trail.shard, 3)}, column
        trail.tamper("delete from audit_events where shard = %s and seq = 3", trail.shard)
        trail.tamper("insert into audit_events select * from kept")
    assert trail.check().faults == []


async def test_a_row_that_is_taken_away_leaves_a_gap_that_is_found(trail: Trail) -> None:
    trail.tamper("delete from audit_events where shard = %s and seq = 2", trail.shard)
    (fault,) = trail.check().faults
    assert (fault.shard, fault.seq, fault.fault) == (trail.shard, 2, "removed")


@pytest.mark.parametrize("which", ["first", "last"])
async def test_the_first_row_and_the_last_are_missed_as_well(trail: Trail, which: str) -> None:
    seq = 1 if which == "first" else trail.length
    trail.tamper("delete from audit_events where shard = %s and seq = %s", trail.shard, seq)
    assert places(trail.check()) == {(trail.shard, seq)}


async def test_two_rows_that_changed_places_are_both_found(trail: Trail) -> None:
    trail.tamper("update audit_events set seq = seq + 100000 where shard = %s and seq in (2, 4)", trail.shard)
    trail.tamper("update audit_events set seq = 100006 - seq where shard = %s and seq > 100000", trail.shard)
    assert {(trail.shard, 2), (trail.shard, 4)} <= places(trail.check())
    assert min(seq for _, seq in places(trail.check()) if seq is not None) == 2


async def test_a_row_moved_to_another_chain_is_found(trail: Trail) -> None:
    other = next(shard for shard, seq in heads(trail.superuser).items() if shard != trail.shard and seq > 2)
    trail.tamper(
        "update audit_events e set action = f.action, actor_id = f.actor_id, case_ids = f.case_ids, via = f.via,"
        " hash = f.hash from audit_events f where (e.shard, e.seq) = (%s, 2) and (f.shard, f.seq) = (%s, 2)",
        other,
        trail.shard,
    )
    assert (other, 2) in places(trail.check())


def rewrite(trail: Trail, first: int) -> None:
    """Make a chain fit again from a row to its end and head, as somebody who knows the whole recipe."""
    trail.tamper(
        """do $$
           declare
             e audit_events;
             before bytea := (select hash from audit_events where shard = SHARD and seq = FIRST - 1);
           begin
             for e in select * from audit_events where shard = SHARD and seq >= FIRST order by seq loop
               before := sha256(before || convert_to(audit_text(e), 'UTF8'));
               update audit_events set hash = before where shard = e.shard and seq = e.seq;
             end loop;
             update audit_heads set hash = before where shard = SHARD;
           end $$""".replace("SHARD", str(trail.shard)).replace("FIRST", str(first))
    )


async def test_a_chain_rewritten_to_its_end_is_found_by_what_was_signed(trail: Trail) -> None:
    assert await trail.sign()
    assert trail.check().faults == []
    trail.tamper("update audit_events set status = 404 where shard = %s and seq = 3", trail.shard)
    rewrite(trail, 3)
    (fault,) = trail.check().faults
    assert (fault.shard, fault.seq, fault.fault) == (trail.shard, trail.length, "not the row that was signed")


async def test_an_end_that_was_cut_off_with_its_head_is_found_by_what_was_signed(trail: Trail) -> None:
    assert await trail.sign()
    trail.tamper("delete from audit_events where shard = %s and seq >= %s", trail.shard, trail.length)
    trail.tamper(
        "update audit_heads h set seq = e.seq, hash = e.hash from audit_events e"
        " where h.shard = %s and e.shard = h.shard and e.seq = %s",
        trail.shard,
        trail.length - 1,
    )
    (fault,) = trail.check().faults
    assert (fault.shard, fault.seq, fault.fault) == (trail.shard, trail.length, "signed, and not there")


async def test_heads_are_signed_once_an_hour_and_name_every_chain(trail: Trail) -> None:
    assert await trail.sign()
    assert not await trail.sign(minutes=59)
    assert await trail.sign(minutes=1)
    statement = "select statement from audit_signatures order by at desc limit 1"
    row = trail.superuser.execute(statement).fetchone()
    assert row is not None
    assert {shard: seq for shard, seq, _ in heads_in(row[0])} == heads(trail.superuser)
    assert trail.check().signatures == 2


async def test_signed_heads_that_were_altered_or_signed_by_another_key_are_found(trail: Trail, tmp_path: Path) -> None:
    await trail.sign()
    trail.tamper("update audit_signatures set signature = set_byte(signature, 5, get_byte(signature, 5) # 1)")
    assert [fault.fault for fault in trail.check().faults] == ["signed heads that were altered"]
    trail.tamper("delete from audit_signatures")
    ensure(tmp_path / "keys")
    await trail.sign(Anchor(load_audit_keys(tmp_path / "keys")[0]))
    (fault,) = trail.check().faults
    assert "key" in fault.fault


async def test_the_anchor_remembers_what_the_database_has_lost(trail: Trail, tmp_path: Path) -> None:
    file = tmp_path / "anchor"
    anchor = Anchor(trail.key, file)
    await trail.sign(anchor)
    await trail.sign(anchor, hours=1)
    assert (len(file.read_text().splitlines()), file.stat().st_mode & 0o777) == (2, 0o600)
    assert trail.check(anchor_file=file).faults == []
    trail.tamper("update audit_events set status = 404 where shard = %s and seq = 3", trail.shard)
    rewrite(trail, 3)
    trail.tamper("delete from audit_signatures")
    assert trail.check().faults == [], "without the anchor nothing is left that could tell"
    found = trail.check(anchor_file=file)
    assert (trail.shard, trail.length) in places(found)
    assert any("lost" in fault.fault for fault in found.faults)
    file.write_text("garbage\n")
    assert "cannot be read" in str(trail.check(anchor_file=file).faults[0])


async def test_signed_heads_are_posted_and_an_anchor_that_fails_stops_nothing(
    trail: Trail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted: list[dict[str, Any]] = []
    status = 200

    def receive(request: httpx.Request) -> httpx.Response:
        posted.append(json.loads(request.content))
        return httpx.Response(status)

    client = httpx.AsyncClient
    transport = httpx.MockTransport(receive)
    monkeypatch.setattr("app.audit_heads.httpx.AsyncClient", lambda **options: client(transport=transport, **options))
    anchor = Anchor(trail.key, tmp_path / "no" / "such" / "place", "https://anchor.example/heads")
    assert await trail.sign(anchor), "a file that cannot be written costs no signature"
    anchor = Anchor(trail.key, None, "https://anchor.example/heads")
    assert await trail.sign(anchor, hours=1)
    status = 500
    assert await trail.sign(anchor, hours=1)
    assert trail.check().signatures == 3
    assert audit_heads.is_signed(trail.key, posted[-1]["statement"], bytes.fromhex(posted[-1]["signature"]))


async def test_heads_that_did_not_arrive_are_handed_over_again_before_the_next_hour(
    trail: Trail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted: list[str] = []
    status = 500

    def receive(request: httpx.Request) -> httpx.Response:
        posted.append(request.content.decode())
        return httpx.Response(status)

    client = httpx.AsyncClient
    transport = httpx.MockTransport(receive)
    monkeypatch.setattr("app.audit_heads.httpx.AsyncClient", lambda **options: client(transport=transport, **options))
    file = tmp_path / "anchor"
    anchor = Anchor(trail.key, file, "https://anchor.example/heads")
    assert await trail.sign(anchor)
    assert not await trail.sign(anchor, minutes=1)
    assert len(posted) == 1, "not at every tick"
    status = 200
    assert not await trail.sign(anchor, minutes=1)
    assert posted == [posted[0]] * 2, "the same heads, nothing signed anew"
    assert not await trail.sign(anchor, minutes=5)
    assert len(posted) == 2, "what has arrived is not sent again"
    assert file.read_text().splitlines() == posted[:1], "the place that answered has them once"
    status = 500
    await trail.sign(anchor, hours=1)
    status = 200
    await trail.sign(anchor, hours=1)
    assert posted[-1] != posted[-2], "the newest heads take the place of those that did not arrive"
    assert trail.check(anchor_file=file).faults == []


def test_an_anchor_in_clear_is_refused() -> None:
    with pytest.raises(ValueError, match="https"):
        Settings(audit_anchor_url="http://anchor.example/heads")


async def test_administrators_and_auditors_read_the_heads_and_what_was_found_last(trail: Trail) -> None:
    for who in ("admin_standard", "auditor_standard"):
        state = answered(await trail.on.stage.client(who).get("/audit-events/verification"), 200)
        assert (len(state["heads"]), state["signed"], state["verified"]) == (16, None, None)
    await trail.sign()
    keep = "insert into audit_verifications values (%s, 7, 1, %s)"
    faults = json.dumps([{"shard": 3, "seq": 5, "fault": "removed"}])
    with psycopg.connect(trail.on.urls.worker) as connection:
        connection.execute(keep, [trail.on.clock() - timedelta(hours=1), "[]"])
        connection.execute(keep, [trail.on.clock(), faults])
    state = answered(await trail.on.stage.client("auditor_standard").get("/audit-events/verification"), 200)
    assert state["signed"]["key_id"] == trail.key.key_id
    assert (state["verified"]["intact"], state["verified"]["faults"]) == (False, json.loads(faults))


# The command itself.


@pytest.fixture
def place() -> Iterator[Path]:
    """A data directory that the server's account may pass."""
    path = Path(tempfile.mkdtemp(prefix="samaki-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def test_the_command_says_where_the_trail_is_broken_and_ends_accordingly(place: Path) -> None:
    ensure(place / "keys")
    with EmbeddedPostgres(place) as postgres:
        urls: DatabaseUrls = embedded_server(postgres).urls("samaki")
        prepare(urls.admin)
        upgrade(urls.owner)
        with psycopg.connect(urls.admin, autocommit=True) as superuser:
            for _ in range(40):
                superuser.execute(
                    "select append_audit_apart(null, null, 'account', 'sign_in', 401, null, null, null, null, null,"
                    " sha256(random()::text::bytea), 1)"
                )
            whole = samaki("audit", "verify", "--data-dir", place)
            assert whole.returncode == 0, whole.stderr
            assert whole.stdout.strip().endswith("40 rows, 0 signed heads, 0 faults")
            shard = next(shard for shard, seq in heads(superuser).items() if seq >= 2)
            tamper(superuser, "update audit_events set status = 200 where shard = %s and seq = 2", shard)
            broken = samaki("audit", "verify", "--data-dir", place)
            assert broken.returncode == 1
            assert f"FAIL shard {shard}, seq 2: altered" in broken.stdout
            kept = superuser.execute("select rows, jsonb_array_length(faults) from audit_verifications order by at")
            assert kept.fetchall() == [(40, 0), (40, 1)]
