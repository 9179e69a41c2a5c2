"""`python -m benchmarks.referrals`: the inbox of a partner that has 50,000 of a million referrals, page by page.

One API process in front of the load data, to which one referral of each case is added once: to the bench's clinic of
every twentieth case, with what a page has to open, and to ten other organisations.
"""

import argparse
import asyncio
import itertools
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from app.models.codes.people import OrganisationKind, Role
from app.models.organisation import Organisation
from app.models.user import User
from app.sealing.data_key import DataKey, new_key
from app.sealing.key_encryption import KeyEncryption, key_encryption
from app.services.referral_content import OPEN_PART
from benchmarks.__main__ import serving
from benchmarks.client import Request, drive, get_json
from benchmarks.stage import CALLER, Stage, counted, sign_in, stage

PARTNER = "bench_partner"
INBOX = "/api/v1/referrals?direction=incoming"
MOST_MS = 25  # p95 of a page of 50 at 1 client: issue 5
SHARE, OTHERS = 20, 10
PUBLIC = b'{"service_type":"general_health"}'

FILL = """
    insert into referrals (id, version, created_at, updated_at, case_id, organisation_id, partner_id, direction, code,
                           sector, protected, standard, province_code, priority, status, due_at, created_by)
    select gen_random_uuid(), 1, c.opened_at + interval '1 day', c.opened_at + interval '2 days', c.id,
           c.organisation_id,
           (%(partners)s::uuid[])[case when mod(n, %(share)s) = 0 then 1 else 2 + mod(n, %(others)s) end],
           'out', 'RF' || substr(c.code, 3), 'health', false, c.sensitivity = 'standard', left(c.commune_code, 2),
           'routine',
           (array['requested', 'accepted', 'in_progress', 'completed', 'completed', 'rejected'])[1 + mod(n, 6)],
           c.opened_at + interval '15 days', c.created_by
      from (select x.*, (row_number() over (order by x.id))::int as n from cases x) c
"""
WITH_KEYS = """
    insert into vault.data_keys (home, case_id, organisation_id, kek_id, wrapped, part)
    select o.id, r.case_id, r.organisation_id, %s, o.wrapped, 'referral' from opened o join referrals r on r.id = o.id
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--data-dir", type=Path, default=Path("/var/tmp/samaki-bench"))
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one measurement")
    options = parser.parse_args()
    with stage(options.data_dir / str(options.cases), options.cases) as on:
        fill(on)
        print(f"referrals {counted(on.urls, 'referrals'):,}, of the partner {_of_partner(on):,}")
        with serving(on, "api", options.data_dir / "none") as api:
            sys.exit(0 if asyncio.run(_measure(on, api.port, options.seconds)) else 1)


async def _measure(on: Stage, port: int, seconds: float) -> bool:
    held = True
    for who, path in (
        (PARTNER, INBOX),
        (PARTNER, f"{INBOX}&status=requested"),
        (PARTNER, f"{INBOX}&cursor={await _far(on, port)}"),
        (CALLER, "/api/v1/referrals"),
    ):
        request: Request = ("GET", path, b"")
        measured = await drive(port, on.token(who), itertools.repeat(request).__next__, 1, seconds)
        within = measured.percentile(0.95) < MOST_MS and not measured.refused
        held &= within
        print(
            f"{'held  ' if within else 'MISSED'} {who:16} {path[:60]:60} {measured.rate:6.0f} requests/s,"
            f" p50 {measured.percentile(0.5):5.2f}, p95 {measured.percentile(0.95):5.2f} ms (bar {MOST_MS})"
        )
    return held


async def _far(on: Stage, port: int) -> str:
    """A cursor a few thousand referrals into the inbox."""
    cursor = ""
    for _ in range(20):
        page = await get_json(port, on.token(PARTNER), f"{INBOX}&limit=200{cursor and f'&cursor={cursor}'}")
        if page["next_cursor"] is None:
            break
        cursor = str(page["next_cursor"])
    return cursor


def fill(on: Stage) -> None:
    """Add the referrals, once, and a session of the clinic's person."""
    now = datetime.now(UTC)
    with psycopg.connect(on.urls.admin) as connection:
        connection.execute("set local session_replication_role = replica")
        known = connection.execute("select from users where username = %s", [PARTNER]).fetchone()
        if known is None:
            began = time.monotonic()
            partners = [_organisation(connection, number, now) for number in range(OTHERS + 1)]
            _person(connection, partners[0], now)
            connection.execute(FILL, {"partners": partners, "share": SHARE, "others": OTHERS})
            _seal(connection, partners[0], key_encryption(on.settings))
            print(f"referrals added in {time.monotonic() - began:.0f} s")
    with psycopg.connect(on.urls.admin, autocommit=True) as connection:
        if known is None:
            connection.execute("vacuum (analyze) referrals, vault.data_keys, organisations, users")
        on.callers[PARTNER] = sign_in(connection, PARTNER, now)


def _seal(connection: psycopg.Connection, partner: UUID, kek: KeyEncryption) -> None:
    """What both sides read, sealed as the API does, for the inbox that is measured."""
    connection.execute("create temporary table opened (id uuid, wrapped bytea, sealed bytea) on commit drop")
    ids = connection.execute("select id from referrals where partner_id = %s", [partner]).fetchall()
    with connection.cursor().copy("copy opened from stdin") as copy:
        for (own_id,) in ids:
            key = new_key()
            sealed = DataKey(key, own_id).seal_text(OPEN_PART, own_id, PUBLIC)
            copy.write_row([own_id, kek.wrap(key, own_id), sealed])
    connection.execute(WITH_KEYS, [kek.current])
    connection.execute("update referrals r set open_sealed = o.sealed from opened o where o.id = r.id")


def _organisation(connection: psycopg.Connection, number: int, now: datetime) -> UUID:
    own = Organisation.named(
        now, name=f"bench_clinic_{number}", name_km="bench", kind=OrganisationKind.HEALTH, id=uuid4()
    )
    connection.execute(
        "insert into organisations (id, version, created_at, updated_at, name, name_km, kind, active, signatory,"
        " assistance_ceiling_khr_minor, assistance_ceiling_usd_minor, staff_principal, supervisors_principal,"
        " programme_communes)"
        " values (%s, 1, %s, %s, %s, %s, 'health', true, false, 0, 0, %s, %s, '[]')",
        [own.id, now, now, own.name, own.name_km, own.staff_principal, own.supervisors_principal],
    )
    return own.id


def _person(connection: psycopg.Connection, partner: UUID, now: datetime) -> None:
    user = User.named(now, username=PARTNER, display_name="Partner", role=Role.PARTNER, organisation_id=partner)
    connection.execute(
        "insert into users (id, version, created_at, updated_at, username, display_name, role, organisation_id,"
        " communes, language, active, system, principal)"
        " values (%s, 1, %s, %s, %s, %s, 'partner', %s, '{}', 'en', true, false, %s)",
        [user.id, now, now, user.username, user.display_name, partner, user.principal],
    )


def _of_partner(on: Stage) -> int:
    with psycopg.connect(on.urls.admin) as connection:
        row = connection.execute(
            "select count(*) from referrals r join users u on u.organisation_id = r.partner_id where u.username = %s",
            [PARTNER],
        ).fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    main()
