"""Cases come and go, and the sums say so for every slice: opening + opened + reopened + moved in = closing + closed +
moved out + erased."""

from collections import Counter
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendar import PHNOM_PENH, day_of
from app.database_urls import DatabaseUrls
from app.indicators.cases import ENTRIES, EXITS, SLICED_BY, CaseCount, Flow, flow_of
from app.indicators.counting import Windows
from app.indicators.reading import Scope
from app.models.codes.cases import Category
from app.models.codes.people import AgeBand, Sex
from app.periods import Period
from tests.cases import intake
from tests.cast import COMMUNE, OTHER_COMMUNE, Cast, answered
from tests.reporting import Programme, programme

Superuser = psycopg.Connection[Any]
STATISTICS = {"purpose": "statistics", "form": "verbal", "obtained_on": "2026-03-01"}
SERVICES = {"purpose": "services", "form": "verbal", "obtained_on": "2026-03-01"}


class Group(NamedTuple):
    """What the statements of app.indicators.cases give."""

    bucket: int
    kind: str
    moved: str | None
    commune: str
    category: str
    sex: str
    age_band: str
    disability: bool | None
    cases: int


async def opened(work: Programme, category: str = "id_poor", *, counted: bool = True, **more: Any) -> str:
    consents = [SERVICES, *([STATISTICS] if counted else [])]
    body = intake(category, consents=consents, **more)
    made = await work.cast.client(work.team["caseworker"]).post("/cases", json=body)
    return str(answered(made, 201)["id"])


async def move(work: Programme, case_id: str, to: str, **more: Any) -> None:
    lead = work.cast.client(work.team["caseworker"])
    answered(await lead.post(f"/cases/{case_id}/transitions", json={"to": to, **more}), 200)


async def flow(work: Programme) -> tuple[Flow, Period]:
    """What the reports role counts of the present quarter."""
    period = Period.of(day_of(work.cast.clock()))
    scope = Scope(work.organisation, Windows.until(period), work.cast.clock(), seen=False)
    return (await work.cast.runtime.totals.count(scope)).found.flow, period


def figures(flow: Flow, period: Period, of: Any = None) -> dict[str, int]:
    return {count.value.removeprefix("cases_"): flow.of(count, of, period) for count in CaseCount}


def imbalance(flow: Flow, period: Period) -> list[Any]:
    """The slices whose sums do not add up."""
    slices = [None, *((by, code) for by, codes in flow.codes.items() for code in codes)]
    wrong = []
    for of in slices:
        came = sum(flow.of(count, of, period) for count in (CaseCount.OPENING, *ENTRIES))
        went = sum(flow.of(count, of, period) for count in (CaseCount.CLOSING, *EXITS))
        if came != went:
            wrong.append((of, came, went))
    return wrong


async def test_every_step_of_a_case_is_in_the_flow_and_its_slices_follow_it(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    declined = {"reason": "declined"}
    stays, closes, moves, back = [await opened(work) for _ in range(4)]
    await opened(work, counted=False)
    await move(work, closes, "closed", closure=declined)
    await move(work, back, "closed", closure=declined)
    await move(work, back, "assessment", reason="She came again.")
    lead = work.cast.client(work.team["caseworker"])
    edit = {"category": "land_dispute", "commune_code": OTHER_COMMUNE}
    answered(await lead.patch(f"/cases/{moves}", json=edit, headers={"If-Match": "*"}), 200)
    found, period = await flow(work)
    assert figures(found, period) == {
        "open_at_start": 0,
        "opened": 4,
        "reopened": 1,
        "moved_in": 0,
        "closed": 2,
        "moved_out": 0,
        "erased": 0,
        "open_at_end": 3,
    }
    assert figures(found, period, ("category", "land_dispute"))["moved_in"] == 1
    assert figures(found, period, ("category", "id_poor"))["moved_out"] == 1
    assert figures(found, period, ("commune", COMMUNE))["open_at_end"] == 2
    assert figures(found, period, ("commune", OTHER_COMMUNE))["open_at_end"] == 1
    assert figures(found, period, ("sex", "female")) == figures(found, period)
    assert imbalance(found, period) == []
    standing = "select count(*) from cases c where organisation_id = %s and status <> 'closed' and exists"
    standing += " (select from consents k where k.case_id = c.id and k.purpose = 'statistics')"
    assert work.db.execute(standing.encode(), [work.organisation]).fetchone() == (3,)
    assert stays


async def test_withdrawing_the_consent_takes_a_case_out_of_every_figure(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    case_id = await opened(work)
    found, period = await flow(work)
    assert figures(found, period)["opened"] == 1
    lead = work.cast.client(work.team["caseworker"])
    consents = answered(await lead.get(f"/cases/{case_id}/consents"), 200)["items"]
    [given] = [one["id"] for one in consents if one["purpose"] == "statistics"]
    answered(await lead.post(f"/cases/{case_id}/consents/{given}/withdraw", json={}), 200)
    found, period = await flow(work)
    assert set(figures(found, period).values()) == {0}


async def test_an_erased_case_came_and_went_and_nobody_learns_the_day(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    case_id = await opened(work)
    lead, supervisor = (work.cast.client(work.team[name]) for name in ("caseworker", "supervisor"))
    asked = {"reason_code": "client_wish", "reason": "She asked."}
    answered(await lead.post(f"/cases/{case_id}/erasure", json=asked), 201)
    answered(await supervisor.post(f"/cases/{case_id}/erasure/confirm"), 204)
    found, period = await flow(work)
    of_all = figures(found, period)
    assert (of_all["opened"], of_all["erased"], of_all["open_at_end"]) == (1, 1, 0)
    assert imbalance(found, period) == []
    days = work.db.execute("select distinct at from case_flow where case_id = %s", [case_id]).fetchall()
    [(at,)] = days
    assert (at.astimezone(PHNOM_PENH).day, at.astimezone(PHNOM_PENH).hour) == (1, 0)


async def test_a_case_whose_consent_had_ended_is_in_no_figure_after_its_erasure_either(
    cast: Cast, superuser: Superuser
) -> None:
    work = await programme(cast, superuser)
    case_id = await opened(work)
    ended = "update consents set obtained_on = %(day)s::date - 2, expires_on = %(day)s::date - 1"
    ended += " where case_id = %(case)s and purpose = 'statistics'"
    work.db.execute(ended.encode(), {"day": day_of(cast.clock()), "case": case_id})
    lead, supervisor = (work.cast.client(work.team[name]) for name in ("caseworker", "supervisor"))
    asked = {"reason_code": "client_wish", "reason": "She asked."}
    answered(await lead.post(f"/cases/{case_id}/erasure", json=asked), 201)
    answered(await supervisor.post(f"/cases/{case_id}/erasure/confirm"), 204)
    found, _ = await flow(work)
    assert set(figures(found, Period.of(day_of(cast.clock()))).values()) == {0}


async def test_a_case_whose_opening_is_told_after_the_report_is_a_late_entry(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    period = Period.of(day_of(work.cast.clock())).previous()
    await work.submit(str(period))
    work.cast.clock.advance(minutes=1)
    await opened(work, opened_on=f"{period.ends_on}")
    found, present = await flow(work)
    assert figures(found, period)["opened"] == 0
    assert figures(found, present)["opened"] == 1
    others = await programme(cast, superuser)
    await opened(others, opened_on=f"{period.ends_on}")
    found, _ = await flow(others)
    assert figures(found, period)["opened"] == 1  # what one organisation has submitted binds no other


async def of_quarter(work: Programme, period: Period) -> Flow:
    """What a report counts that is submitted now."""
    scope = Scope(work.organisation, Windows.until(period), work.cast.clock(), seen=False, submitting=True)
    return (await work.cast.runtime.totals.count(scope)).found.flow


async def test_what_was_reported_of_cases_stays_so_whoever_changes_her_mind(cast: Cast, superuser: Superuser) -> None:
    """Two reports of one quarter, or of one and the next: what is between them would be the one woman."""
    work = await programme(cast, superuser)
    lead = work.cast.client(work.team["caseworker"])
    present = Period.of(day_of(cast.clock()))
    period = present.previous()
    day = str(period.ends_on)
    said_yes, _ = [await opened(work, opened_on=day) for _ in range(2)]
    said_no = await opened(work, opened_on=day, counted=False)
    erased = await opened(work, opened_on=day)
    of_today = await opened(work, counted=False)
    told = (await of_quarter(work, period)).counts
    assert told[CaseCount.OPENED, None, str(period)] == 3
    await work.submit(str(period))
    cast.clock.advance(minutes=1)
    consents = answered(await lead.get(f"/cases/{said_yes}/consents"), 200)["items"]
    [given] = [one["id"] for one in consents if one["purpose"] == "statistics"]
    answered(await lead.post(f"/cases/{said_yes}/consents/{given}/withdraw", json={}), 200)
    for case_id in (said_no, of_today):
        answered(await lead.post(f"/cases/{case_id}/consents", json=STATISTICS), 201)
    asked = {"reason_code": "client_wish", "reason": "She asked."}
    answered(await lead.post(f"/cases/{erased}/erasure", json=asked), 201)
    supervisor = work.cast.client(work.team["supervisor"])
    answered(await supervisor.post(f"/cases/{erased}/erasure/confirm"), 204)
    await opened(work, opened_on=day)  # is a late entry
    await opened(work, opened_on=str(period.previous().ends_on))  # and so is this: it would move the opening
    assert (await of_quarter(work, period)).counts == told
    found = await of_quarter(work, present)
    of_present = figures(found, present)
    assert of_present["open_at_start"] == 3
    assert (of_present["opened"], of_present["erased"], of_present["open_at_end"]) == (3, 1, 5)
    assert imbalance(found, present) == []
    assert found.of(CaseCount.CLOSING, None, period) == 3
    # Her case goes on to count as it did: where it ended, it went.
    await move(work, said_yes, "closed", closure={"reason": "declined"}, reason="As she wished.")
    assert figures(await of_quarter(work, present), present)["closed"] == 1
    # Neither another version nor the erasure of who was in no figure changes anything.
    assert (await work.submit(str(period), 200))["version"] == 1, "so far nothing would be said otherwise"
    answered(await supervisor.put(f"/reports/targets/{period}", json={"targets": {"families_visited": 1}}), 200)
    changes = await work.submit(str(period))
    assert changes["version"] == 2
    answered(await lead.post(f"/cases/{said_no}/erasure", json=asked), 201)
    answered(await supervisor.post(f"/cases/{said_no}/erasure/confirm"), 204)
    assert (await of_quarter(work, period)).counts == told
    said = answered(await supervisor.get(f"/reports/quarterly/{period}/versions/2/diff"), 200)
    assert [one for one in said["changes"] if one["indicator"].startswith("cases_")] == []


async def test_a_case_that_turns_out_to_be_sensitive_is_unseen_by_supervisors_with_all_that_it_was(
    cast: Cast, superuser: Superuser
) -> None:
    work = await programme(cast, superuser)
    case_id = await opened(work)
    await opened(work)
    scope = Scope(work.organisation, Windows.until(Period.of(day_of(cast.clock()))), cast.clock(), seen=False)
    period = scope.windows.period
    lead = work.cast.client(work.team["caseworker"])

    async def unseen(of: Any = None) -> dict[str, int]:
        found = (await work.cast.runtime.totals.count(scope)).found.unseen
        assert found is not None
        return figures(found, period, of)

    assert set((await unseen()).values()) == {0}
    changed = await lead.patch(f"/cases/{case_id}", json={"category": "health_referral"}, headers={"If-Match": "*"})
    answered(changed, 200)
    assert (await unseen())["opened"] == (await unseen())["open_at_end"] == 1
    left = await unseen(("category", "id_poor"))
    assert (left["opened"], left["moved_out"], left["open_at_end"]) == (1, 1, 0)


async def test_no_consent_changes_while_a_report_is_counted(cast: Cast, superuser: Superuser) -> None:
    """Else the report would say one thing of a case and remember another."""
    work = await programme(cast, superuser)
    case_id = await opened(work)
    with psycopg.connect(superuser.info.dsn, password=superuser.info.password) as other:
        other.execute("update consents set version = version where case_id = %s", [case_id])
        refused = await work.supervisor.post(f"/reports/quarterly/{Period.of(day_of(cast.clock())).previous()}/submit")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        other.rollback()
    answered(await work.supervisor.post(f"/reports/quarterly/{Period.of(day_of(cast.clock())).previous()}/submit"), 201)


async def test_a_case_that_is_handed_over_moves_out_and_in(cast: Cast, superuser: Superuser) -> None:
    work, others = await programme(cast, superuser), await programme(cast, superuser)
    case_id = await opened(work)
    agreed = {"purpose": "referral", "form": "verbal", "obtained_on": "2026-03-01", "shared_fields": ["name"]}
    lead, there = (work.cast.client(one) for one in (work.team["caseworker"], others.team["supervisor"]))
    given = {**agreed, "organisation_id": str(others.organisation)}
    answered(await lead.post(f"/cases/{case_id}/consents", json=given), 201)
    wanted = {"organisation_id": str(others.organisation), "reason": "She moves there."}
    asked = answered(await lead.post(f"/cases/{case_id}/transfers", json=wanted), 201)
    answered(await there.post(f"/transfers/{asked['id']}/accept", json={}), 200)
    found, period = await flow(work)
    left = figures(found, period)
    assert (left["opened"], left["moved_out"], left["closed"], left["open_at_end"]) == (1, 1, 0, 0)
    kinds = "select kind, enters from case_flow where organisation_id = %s"
    assert superuser.execute(kinds, [others.organisation]).fetchall() == [("moved_in", True)]


async def test_a_supervisor_s_live_figures_are_of_the_cases_that_she_sees(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    hidden = await opened(work, "domestic_violence")  # to her a stub
    seen = [await opened(work) for _ in range(6)]
    period = str(Period.of(day_of(work.cast.clock())))
    assert (await work.figures(period))["cases_opened"] in {6, None}
    trace = answered(await work.supervisor.get(f"/reports/quarterly/{period}/records/cases_opened"), 200)
    assert {one["id"] for one in trace["items"]} == set(seen)
    wanted = {"user_id": work.cast.id(work.team["supervisor"]), "reason_code": "client_wish"}
    lead = work.cast.client(work.team["caseworker"])
    answered(await lead.post(f"/cases/{seen[0]}/exclusions", json=wanted), 201)
    assert (await work.figures(period))["cases_opened"] in {5, None}
    trace = answered(await work.supervisor.get(f"/reports/quarterly/{period}/records/cases_open_at_end"), 200)
    assert {one["id"] for one in trace["items"]} == set(seen[1:])
    assert hidden


async def test_the_cases_of_a_commune_are_traced_for_whole_years_alone(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    here, elsewhere = await opened(work), await opened(work, commune_code=OTHER_COMMUNE)
    work.db.execute("update case_flow set at = '2024-02-01' where case_id = any (%s)", [[UUID(here), UUID(elsewhere)]])
    asked = {"commune_code": COMMUNE}
    path = "/reports/quarterly/2024Q4/records/cases_opened"
    report = await work.report("2024Q4", **asked)
    assert f"{path}?commune_code={COMMUNE}" in [one["trace"] for one in report["indicators"]]
    found = answered(await work.supervisor.get(path, params=asked), 200)
    assert [one["id"] for one in found["items"]] == [here]
    for quarter in (path.replace("Q4", "Q3"), path.replace("opened", "erased")):
        answered(await work.supervisor.get(quarter, params=asked), 404)


async def test_small_figures_are_not_told_and_their_number_of_records_neither(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    for _ in range(3):
        await opened(work, "land_dispute")
    period = str(Period.of(day_of(work.cast.clock())))
    one = await work.indicator("cases_opened", period)
    assert (one["value"], one["printed"]["en"]) == (None, "not told")
    cells = {cell["code"]: cell["value"] for cell in one["disaggregations"][0]["cells"]}
    assert cells["land_dispute"] is None
    assert cells["domestic_violence"] is None  # of a sensitive category nobody is a secret, too
    assert {"by": "category", "code": "land_dispute", "year_to_date": False} in one["suppressed"]


def test_the_reports_role_reads_no_row_of_the_flow_by_its_id_and_the_api_s_role_none(database: DatabaseUrls) -> None:
    with psycopg.connect(database.reports) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select id from case_flow")
    with psycopg.connect(database.runtime) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select from case_flow")


# ---- every history of cases ----

WINDOWS = Windows.until(Period(2024, 3))
BUCKETS = len(WINDOWS.quarters) + 1


@st.composite
def histories(draw: st.DrawFn) -> list[Group]:
    """Rows of the flow as cases write them: one enters, moves, leaves, comes back."""
    rows: Counter[tuple[Any, ...]] = Counter()
    for _ in range(draw(st.integers(0, 30))):
        commune, category = draw(st.sampled_from([COMMUNE, OTHER_COMMUNE])), draw(st.sampled_from(Category)).value
        client = (
            draw(st.sampled_from(Sex)).value,
            draw(st.sampled_from(AgeBand)).value,
            draw(st.sampled_from([None, True, False])),
        )
        bucket, is_open = draw(st.integers(0, BUCKETS - 1)), True
        rows[bucket, draw(st.sampled_from(["opened", "moved_in"])), None, commune, category, *client] += 1
        for _ in range(draw(st.integers(0, 4))):
            bucket = draw(st.integers(bucket, BUCKETS - 1))
            if not is_open:
                rows[bucket, "reopened", None, commune, category, *client] += 1
            elif draw(st.booleans()):
                new = draw(st.sampled_from([COMMUNE, OTHER_COMMUNE])), draw(st.sampled_from(Category)).value
                changed = (new[0] != commune, new[1] != category)
                if any(changed):
                    moved = {(True, True): "both", (True, False): "commune", (False, True): "category"}[changed]
                    rows[bucket, "moved_out", moved, commune, category, *client] += 1
                    commune, category = new
                    rows[bucket, "moved_in", moved, commune, category, *client] += 1
                continue
            else:
                rows[
                    bucket, draw(st.sampled_from(["closed", "moved_out", "erased"])), None, commune, category, *client
                ] += 1
            is_open = not is_open
    return [Group._make((*key, cases)) for key, cases in rows.items()]


@given(histories())
def test_for_every_history_the_flow_adds_up_in_every_slice_and_quarter(groups: list[Group]) -> None:
    found = flow_of(groups, WINDOWS.quarters)
    for period in WINDOWS.quarters:
        assert imbalance(found, period) == []
        for by in (*SLICED_BY, "commune"):
            for count in CaseCount:
                if count not in {CaseCount.MOVED_IN, CaseCount.MOVED_OUT} or by not in {"category", "commune"}:
                    parts = sum(found.of(count, (by, code), period) for code in found.codes[by])
                    assert parts == found.of(count, None, period), (by, count)
            for code in found.codes[by]:
                assert found.of(CaseCount.CLOSING, (by, code), period) >= 0


@given(histories())
def test_an_open_case_is_counted_open_by_its_last_row_and_by_nothing_else(groups: list[Group]) -> None:
    entered = {"opened", "moved_in", "reopened"}
    open_cases = sum(one.cases if one.kind in entered else -one.cases for one in groups)
    assert flow_of(groups, WINDOWS.quarters).of(CaseCount.CLOSING, None, WINDOWS.period) == open_cases
