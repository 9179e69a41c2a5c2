"""Which cases are in a cohort and what is taken of them: at the function of the database that takes it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.calendar import day_of, start_of
from tests.cast import Cast
from tests.quarters import BANDS, put_case
from tests.released import AT, COHORT, EXPORT, PUT_COHORT, PUT_EXPORT, PUT_FILE, SHA256, put_export

Superuser = psycopg.Connection[Any]
FIRST, LAST = date(2019, 1, 1), date(2019, 3, 31)
IN = datetime(2019, 2, 1, 3, tzinfo=UTC)
COLUMNS = (
    *("commune", "sex", "age", "category", "referral_type", "closure_outcome", "disability", "id_poor"),
    *("assistance_kind", "assistance_amount_band", "first_follow_up_band", "status"),
)


class _Undo(Exception):  # noqa: N818 - ends a transaction
    pass


# What others have asked for and frozen: of any quarter, and a cohort looks at those before it.
EXPORTS = ("export_approvals", "export_chunks", "export_files", "exports", "export_parties", "export_members")


@contextmanager
def undone(db: Superuser) -> Iterator[None]:
    """What the block writes was never there, and what others released is not there for it."""
    try:
        with db.transaction():
            for table in (*EXPORTS, "export_cohorts"):
                db.execute(f"delete from {table}".encode())
            yield
            raise _Undo
    except _Undo:
        pass


def put(db: Superuser, cast: Cast, **more: Any) -> UUID:
    """A case opened in the quarter; `more` says otherwise."""
    return put_case(db, cast, random.Random(1), **{"opened": IN, **more})  # noqa: S311 - no secret


def take(db: Superuser, cast: Cast, first: date = FIRST, last: date = LAST, period: str = "2019Q1") -> list[Any]:
    """The rows of a cohort, as the worker takes it."""
    db.execute("select set_config('samaki.now', %s, true)", [cast.clock().isoformat()])
    db.execute("set local role samaki_worker")
    cursor = db.execute("select * from freeze_cohort(%s, %s, %s, %s)", [uuid4(), period, first, last])
    assert tuple(column.name for column in cursor.description or ()) == COLUMNS
    rows = cursor.fetchall()
    db.execute("reset role")
    return rows


def members(db: Superuser, period: str = "2019Q1") -> set[UUID]:
    query = "select case_id from export_members m join export_cohorts c on c.id = m.cohort_id where c.period = %s"
    return {row[0] for row in db.execute(query, [period])}


def test_a_cohort_is_the_cases_of_the_quarter_whose_clients_agreed(cast: Cast, superuser: Superuser) -> None:
    with undone(superuser):
        superuser.execute("update organisations set signatory = (id = %s)", [cast.organisation("ngo")])
        midnight, after = start_of(FIRST), start_of(LAST + timedelta(days=1))
        bands = zip((midnight, IN, after - timedelta(seconds=1), *[IN] * 4), (*BANDS[1:], *BANDS), strict=False)
        wanted = {put(superuser, cast, opened=one, band=band) for one, band in bands}
        for one in (midnight - timedelta(seconds=1), after):
            put(superuser, cast, opened=one)
        put(superuser, cast, organisation="other_ngo")
        put(superuser, cast, statistics=False)
        today = day_of(cast.clock())
        for change in (
            "withdrawn_at = created_at",
            "purpose = 'services'",
            f"expires_on = '{today - timedelta(days=1)}'",
            f"obtained_on = '{today + timedelta(days=1)}'",
        ):
            refused = put(superuser, cast)
            superuser.execute(f"update consents set {change} where case_id = %s".encode(), [refused])
        erased = put(superuser, cast)
        superuser.execute("update cases set erased_at = %s where id = %s", [cast.clock(), erased])
        lasting = put(superuser, cast)
        superuser.execute("update consents set expires_on = %s where case_id = %s", [today, lasting])
        rows = take(superuser, cast)
        assert members(superuser) == wanted | {lasting}
        assert rows == sorted(rows, key=lambda row: [(one is None, one) for one in row])
        assert len(rows) == len(wanted) + 1
        parties = superuser.execute("select organisation_id from export_parties").fetchall()
        assert (cast.organisations["ngo"],) in parties
        assert (cast.organisations["other_ngo"],) not in parties
        assert superuser.execute("select cases from export_cohorts where period = '2019Q1'").fetchone() == (len(rows),)


def test_what_is_recorded_after_the_freeze_is_in_the_next_cohort_and_in_no_other(
    cast: Cast, superuser: Superuser
) -> None:
    with undone(superuser):
        now = cast.clock()
        first, silent = put(superuser, cast), put(superuser, cast, statistics=False)
        take(superuser, cast)
        superuser.execute("update consents set purpose = 'statistics' where case_id = %s", [silent])
        put(superuser, cast, created=now - timedelta(minutes=61), opened=IN)
        late = {put(superuser, cast, created=now + one) for one in (timedelta(minutes=-59), timedelta(hours=1))}
        before = IN - timedelta(days=80)  # of a quarter that has no cohort
        of_no_cohort = put(superuser, cast, created=now + timedelta(hours=1), opened=before)
        own = put(superuser, cast, opened=IN + timedelta(days=90))
        later = put(superuser, cast, opened=IN + timedelta(days=180))
        taken = take(superuser, cast, date(2019, 4, 1), date(2019, 6, 30), "2019Q2")
        assert len(taken) == 3
        assert members(superuser) == {first}
        assert members(superuser, "2019Q2") == {own, *late}
        take(superuser, cast, date(2019, 7, 1), date(2019, 9, 30), "2019Q3")
        assert members(superuser, "2019Q3") == {later}
        # A quarter that is taken out of order takes nothing from the ones after it.
        put(superuser, cast, created=now + timedelta(hours=1), opened=IN)
        take(superuser, cast, date(2018, 10, 1), date(2018, 12, 31), "2018Q4")
        assert members(superuser, "2018Q4") == {of_no_cohort}


def row_of(db: Superuser, cast: Cast, case: UUID) -> dict[str, Any]:
    """The only row of a cohort of its own."""
    db.execute("delete from consents where purpose = 'statistics' and case_id <> %s", [case])
    [row] = take(db, cast)
    return dict(zip(COLUMNS, row, strict=True))


@pytest.mark.parametrize(
    ("values", "column", "told"),
    [
        ({"band": "00-04"}, "age", 0),
        ({"band": "12-17"}, "age", 12),
        ({"band": "18-29"}, "age", 18),
        ({"band": "60+"}, "age", 60),
        ({"band": "unknown"}, "age", None),
        ({"sex": "other"}, "sex", "other"),
        ({"category": "land_dispute"}, "category", "land_dispute"),
        ({"commune": "170301"}, "commune", "170301"),
        ({"disability": True}, "disability", "yes"),
        ({"disability": False}, "disability", "no"),
        ({"disability": None}, "disability", None),
        ({"status": "closed", "outcome": "worse"}, "closure_outcome", "worse"),
        ({"status": "closure_requested", "outcome": "worse"}, "closure_outcome", None),
        ({"status": "closure_requested"}, "status", "closure_requested"),
    ],
)
def test_a_row_says_what_the_case_says_in_clear(
    cast: Cast, superuser: Superuser, values: dict[str, Any], column: str, told: Any
) -> None:
    with undone(superuser):
        assert row_of(superuser, cast, put(superuser, cast, **values))[column] == told


def test_what_was_not_recorded_is_null(cast: Cast, superuser: Superuser) -> None:
    with undone(superuser):
        row = row_of(superuser, cast, put(superuser, cast))
        assert {row[one] for one in COLUMNS if one.startswith(("assistance", "first", "referral", "id_"))} == {None}


REQUEST = """
    insert into assistance_requests (id, version, created_at, updated_at, case_id, organisation_id, kind, status,
                                     standard, amount_minor, currency, approved_minor, decided_by, paid_minor, payments,
                                     sealed, created_by)
    select gen_random_uuid(), 1, opened_at, opened_at, id, organisation_id, %s, %s, false, %s, %s, %s, %s, 0, 0, '',
           created_by
      from cases where id = %s
"""


@pytest.mark.parametrize(
    ("requests", "kind", "band"),
    [
        ([("social", "approved", None, None)], "social", None),
        ([("financial", "approved", 999, "USD")], "financial", "under_10_usd"),
        ([("financial", "approved", 1000, "USD")], "financial", "10_to_24_usd"),
        ([("financial", "approved", 2499, "USD")], "financial", "10_to_24_usd"),
        ([("financial", "approved", 2500, "USD")], "financial", "25_to_49_usd"),
        ([("financial", "approved", 2500, "USD"), ("social", "approved", 2500, "USD")], "several", "50_to_99_usd"),
        ([("financial", "approved", 9999, "USD")], "financial", "50_to_99_usd"),
        ([("financial", "approved", 10000, "USD")], "financial", "100_usd_and_more"),
        ([("financial", "approved", 40000, "KHR")], "financial", "10_to_24_usd"),
        ([("financial", "declined", 5000, "USD")], None, None),
        ([("financial", "submitted", 5000, "USD")], None, None),
        ([("financial", "cancelled", 5000, "USD"), ("social", "approved", None, None)], "social", None),
    ],
)
def test_help_is_told_by_its_kind_and_a_band_of_what_was_approved(
    cast: Cast, superuser: Superuser, requests: list[tuple[str, str, int | None, str | None]], kind: Any, band: Any
) -> None:
    with undone(superuser):
        case = put(superuser, cast)
        for what, status, amount, currency in requests:
            decided = status != "submitted"
            approved = amount if decided and status != "declined" else None
            by = cast.id("supervisor") if decided else None
            superuser.execute(REQUEST.encode(), [what, status, amount, currency, approved, by, case])
        row = row_of(superuser, cast, case)
        assert (row["assistance_kind"], row["assistance_amount_band"]) == (kind, band)


FOLLOW_UP = """
    insert into follow_ups (id, version, created_at, updated_at, case_id, organisation_id, due_at, assignee_id,
                            happened_at, created_by, sealed)
    select gen_random_uuid(), 1, opened_at, opened_at, id, organisation_id, opened_at, created_by, %s, created_by, ''
      from cases where id = %s
"""


@pytest.mark.parametrize(
    ("days", "band"),
    [
        ([0], "up_to_7_days"),
        ([7], "up_to_7_days"),
        ([8], "8_to_14_days"),
        ([15, 40], "15_to_30_days"),
        ([31], "31_to_90_days"),
        ([90], "31_to_90_days"),
        ([91], "over_90_days"),
        ([None], None),
    ],
)
def test_the_first_follow_up_is_told_by_a_band_of_days(
    cast: Cast, superuser: Superuser, days: list[int | None], band: str | None
) -> None:
    with undone(superuser):
        case = put(superuser, cast)
        for one in days:
            happened = None if one is None else IN + timedelta(days=one)
            superuser.execute(FOLLOW_UP.encode(), [happened, case])
        assert row_of(superuser, cast, case)["first_follow_up_band"] == band


def test_a_family_s_poverty_is_that_of_the_client_s_household(cast: Cast, superuser: Superuser) -> None:
    household = (
        "insert into households (id, version, created_at, updated_at, organisation_id, id_poor_level, created_by,"
        " sealed) select gen_random_uuid(), 1, opened_at, opened_at, organisation_id, 'id_poor_2', created_by, ''"
        " from cases where id = %s returning id"
    )
    with undone(superuser):
        case = put(superuser, cast)
        [own_id] = superuser.execute(household.encode(), [case]).fetchone() or (None,)
        superuser.execute("update people set household_id = %s where case_id = %s", [own_id, case])
        assert row_of(superuser, cast, case)["id_poor"] == "id_poor_2"


REFERRAL = """
    insert into referrals (id, version, created_at, updated_at, case_id, organisation_id, partner_id, direction, code,
                           sector, protected, standard, province_code, priority, status, due_at, created_by)
    select gen_random_uuid(), 1, opened_at, opened_at, id, organisation_id, organisation_id, %s, %s, %s, false, false,
           '17', 'routine', %s, opened_at, created_by
      from cases where id = %s
"""


@pytest.mark.parametrize(
    ("referrals", "told"),
    [
        ([("out", "legal", "requested")], "legal"),
        ([("out", "legal", "completed"), ("out", "legal", "rejected")], "legal"),
        ([("out", "legal", "completed"), ("out", "health", "completed")], "several"),
        ([("out", "legal", "completed"), ("out", "health", "entered_in_error")], "legal"),
        ([("in", "legal", "completed")], None),
    ],
)
def test_a_referral_is_told_by_its_sector_and_several_as_such(
    cast: Cast, superuser: Superuser, referrals: list[tuple[str, str, str]], told: str | None
) -> None:
    with undone(superuser):
        case = put(superuser, cast)
        for direction, sector, status in referrals:
            superuser.execute(REFERRAL, [direction, uuid4().hex[:12], sector, status, case])
        assert row_of(superuser, cast, case)["referral_type"] == told


def test_a_member_that_goes_takes_what_was_released_of_its_cohort_and_of_no_other(
    cast: Cast, superuser: Superuser
) -> None:
    def run(statement: str, *values: Any) -> None:
        superuser.execute(statement.encode(), values)

    other_cohort, other, refused = uuid4(), uuid4(), uuid4()
    ngo, auditor = cast.organisations["ngo"], cast.users["auditor"].id
    with undone(superuser):
        case = put(superuser, cast)
        put_export(run, ngo, auditor, "released")
        member = "insert into export_members select id, organisation_id, %s from cases where id = %s"
        superuser.execute(member, [COHORT, case])
        key = (
            "insert into vault.data_keys (home, organisation_id, kek_id, wrapped, part)"
            " values (%s, %s, '', '', 'export')"
        )
        for cohort in (COHORT, other_cohort):
            superuser.execute(key, [cohort, cohort])
        superuser.execute("update export_cohorts set sealed = 'x'")
        superuser.execute(PUT_COHORT, [other_cohort, "2024Q2", AT, None])
        superuser.execute(
            PUT_EXPORT, [other, "auditor-v1", "2024Q2", other_cohort, "released", SHA256, auditor, AT, AT]
        )
        superuser.execute(PUT_EXPORT, [refused, "other", "2024Q3", COHORT, "refused", None, auditor, AT, AT])
        superuser.execute(PUT_FILE, [other, "a.csv", 1, SHA256])
        superuser.execute("delete from export_members where case_id = %s", [case])
        states = dict(superuser.execute("select id, state from exports").fetchall())
        assert states == {EXPORT: "withdrawn", other: "released", refused: "refused"}
        left = "select count(*) from exports where state = 'withdrawn' and (report, manifest_sha256, known) is not null"
        assert superuser.execute(left).fetchone() == (0,)
        assert superuser.execute("select export_id from export_files").fetchall() == [(other,)]
        assert superuser.execute("select home from vault.data_keys where part = 'export'").fetchall() == [
            (other_cohort,)
        ]
        cohorts = "select id, withdrawn_at is null, sealed from export_cohorts"
        assert set(superuser.execute(cohorts).fetchall()) == {(COHORT, False, None), (other_cohort, True, None)}
