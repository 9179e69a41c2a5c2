"""What the caller can see of cases: every list, detail and write starts from a statement in this file.

The row policies of the database decide; these statements only drive from `case_access`, so that a page is found in
the order of the index, and so that a hidden id costs exactly what an unknown one does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import touched
from app.db import fetch, run, update
from app.errors import NotFound
from app.models.case import CaseRow
from app.models.codes.cases import CaseStatus, Category, RiskLevel, Sensitivity
from app.models.person import Household, Person
from app.permissions import Permission
from app.policy import require
from app.relations import Access, access_of
from app.sealing import home_of, load_keys, ring_of

# Rows of `case_access` that count for the caller now; the exclusions are asked once, before any row of a case.
CURRENT = """
      (a.expires_at is null or a.expires_at > (select app_now()))
      and a.case_id <> all ((select app_excluded_cases())::uuid[])
"""
_MINE = f"a.principal = any ((select app_principals())::uuid[]) and {CURRENT}"

# `assigned=me` finds a case by one way only, and says all the same how the caller reaches it.
EVERY_WAY = f"""
    (select array_agg(a.mode || ' ' || a.via) from case_access a where a.case_id = w.case_id and {_MINE}) as ways
"""

Entity = TypeVar("Entity", Person, Household)

# How the caller reaches one case. The exclusions are asked for before the case is looked for (`offset 0` keeps the two
# apart), so that a case from which the caller is excluded takes exactly as long as one that does not exist.
_ONE = """
    (select a.case_id, array_agg(a.mode || ' ' || a.via) as ways
       from (select app_excluded_cases() as cases, app_now() as now offset 0) gone
      cross join lateral (
        select a.case_id, a.mode, a.via from case_access a
         where a.case_id = %(case_id)s and a.principal = any ((select app_principals())::uuid[])
           and (a.expires_at is null or a.expires_at > gone.now) and a.case_id <> all (gone.cases)
        offset 0) a
      group by a.case_id) w
"""

_SEVERAL = f"""
    (select a.case_id, array_agg(a.mode || ' ' || a.via) as ways from case_access a
      where a.case_id = any (%(case_ids)s) and {_MINE} group by a.case_id) w
"""

# Of several, with their organisations, whoever sees more of them than a liaison does.
_SEEN = f"""
    select c.id, c.organisation_id, w.ways from {_SEVERAL.replace("group by", "and a.via <> 'liaison' group by")}
      join cases c on c.id = w.case_id
"""

ACCESS = f"""
    select c.organisation_id, k.kek_id, k.wrapped, w.ways
      from {_ONE}
      join cases c on c.id = w.case_id
      join vault.data_keys k on k.home = c.id
"""

SUMMARY = """
    c.id, c.code, c.category, c.sensitivity, c.status, c.priority, c.risk_level, c.commune_code, c.organisation_id,
    c.opened_at, c.updated_at, c.closed_at, c.next_due_at, c.version, c.team_version, c.lead_id, c.sealed,
    l.display_name as lead_name, p.id as client_id, p.sex as client_sex, p.sealed as client_sealed,
    k.kek_id, k.wrapped, w.ways
"""
AROUND = """
      join vault.data_keys k on k.home = c.id
      left join people p on p.id = c.client_id and p.organisation_id = c.organisation_id
      left join users l on l.id = c.lead_id
"""

_DETAIL = f"""
    select {SUMMARY}, c.referred_from, c.death_review_due_at, c.closure_reason, c.outcome,
           i.id as incident_id, i.occurred_at, i.precision, i.sealed as incident_sealed,
           i.version as incident_version, i.created_at as incident_created_at, i.updated_at as incident_updated_at
      from {{reached}}
      join cases c on c.id = w.case_id
      {AROUND}
      left join lateral (select * from incidents i where i.case_id = c.id
                          order by i.created_at desc, i.id desc limit 1) i on true
"""
DETAIL, DETAILS = _DETAIL.format(reached=_ONE), _DETAIL.format(reached=_SEVERAL)

SUMMARIES = f"select {SUMMARY} from {_SEVERAL} join cases c on c.id = w.case_id {AROUND}"

_COLUMNS = [field.name for field in fields(CaseRow) if field.name not in {"private", "as_read"}]
CHANGEABLE = [name for name in _COLUMNS if name not in {"id", "code", "organisation_id", "opened_at", "sealed"}]
LOCK = f"select {', '.join(_COLUMNS)} from cases where id = %(case_id)s for no key update"

# How she may be reached is not told any more to whom it was told before it changed.
SUSPEND_CONTACT = "select suspend_transfer_contact(%(case_id)s), suspend_referral_contact(%(case_id)s)"

COUNTS = f"""
    select a.status, a.category, count(distinct a.case_id) as cases
      from case_access a where {_MINE} group by a.status, a.category
"""


async def access_to(session: AsyncSession, case_id: UUID) -> Access:
    """How the caller reaches the case; 404 when it is hidden or unknown."""
    rows = await fetch(session, ACCESS, {"case_id": case_id})
    if not rows:
        raise NotFound
    ring_of(session).add(case_id, rows[0].kek_id, rows[0].wrapped)
    access = access_of(case_id, rows[0].organisation_id, rows[0].ways)
    touched(session, case_id, access.via)
    return access


async def access_for(session: AsyncSession, case_id: UUID, permission: Permission) -> Access:
    """The same, and 403 when the caller's relation to the case does not allow this."""
    access = await access_to(session, case_id)
    require(access, permission)
    return access


async def lock_case(session: AsyncSession, case_id: UUID) -> CaseRow:
    """The case's row, locked for a change until the transaction ends; 404 when access ended meanwhile."""
    rows = await fetch(session, LOCK, {"case_id": case_id})
    if not rows:
        raise NotFound
    await access_to(session, case_id)  # the lock may have waited for who took the access away
    case = CaseRow(*rows[0])
    case.category, case.sensitivity = Category(case.category), Sensitivity(case.sensitivity)
    case.status, case.risk_level = CaseStatus(case.status), RiskLevel(case.risk_level)
    case.private = ring_of(session).open("cases", case.id, case.id, case.sealed)
    case.as_read = {name: getattr(case, name) for name in (*CHANGEABLE, "private")}
    return case


async def save_case(session: AsyncSession, case: CaseRow) -> None:
    """Write what is changed of a locked case; 404 when access ended meanwhile."""
    changed = {name: getattr(case, name) for name in CHANGEABLE if getattr(case, name) != case.as_read[name]}
    if case.private != case.as_read["private"]:
        changed["sealed"] = ring_of(session).seal("cases", case.id, case.id, case.private)
    if changed and not await update(session, "cases", case.id, changed):
        raise NotFound
    if case.private.get("safe_contact") != case.as_read["private"].get("safe_contact"):
        await run(session, SUSPEND_CONTACT, {"case_id": case.id})


async def detail_row(session: AsyncSession, case_id: UUID) -> tuple[Any, Access]:
    """The case with client, lead and latest incident, and how it is reached; 404 when it is hidden or unknown."""
    rows = await fetch(session, DETAIL, {"case_id": case_id})
    if not rows:
        raise NotFound
    return rows[0], shown(session, rows[0])


async def detail_rows(session: AsyncSession, case_ids: Sequence[UUID]) -> dict[UUID, tuple[Any, Access]]:
    """The same of several cases, as far as the caller sees them."""
    rows = await fetch(session, DETAILS, {"case_ids": list(case_ids)}) if case_ids else []
    return {row.id: (row, shown(session, row)) for row in rows}


async def summary_rows(session: AsyncSession, case_ids: Iterable[UUID]) -> dict[UUID, Any]:
    """Rows of SUMMARY by id, of those cases that the caller sees; their keys are at hand. To be noted when shown."""
    rows = await fetch(session, SUMMARIES, {"case_ids": list(case_ids)})
    for row in rows:
        ring_of(session).add(row.id, row.kek_id, row.wrapped)
    return {row.id: row for row in rows}


def shown(session: AsyncSession, row: Any) -> Access:
    """How the caller reaches the case of a row of SUMMARY, which is about to be shown."""
    ring_of(session).add(row.id, row.kek_id, row.wrapped)
    access = access_of(row.id, row.organisation_id, row.ways)
    touched(session, row.id, access.via)
    return access


async def seen_cases(session: AsyncSession, case_ids: Sequence[UUID]) -> dict[UUID, Access]:
    """How the caller reaches these cases, as far as she does other than as a liaison; to be noted when shown."""
    rows = await fetch(session, _SEEN, {"case_ids": list(set(case_ids))}) if case_ids else []
    return {row.id: access_of(row.id, row.organisation_id, row.ways) for row in rows}


async def person_row(session: AsyncSession, person_id: UUID, *, lock: bool = False) -> Person:
    """A person whose home the caller sees; 404 otherwise, which takes as long for a hidden id as for an unknown one."""
    sees_home = select(func.app_sees_home_of(person_id)).scalar_subquery()
    statement = select(Person).where(col(Person.id) == person_id, sees_home)
    return await _one(session, _held(statement) if lock else statement)


async def household_row(session: AsyncSession, household_id: UUID, *, lock: bool = False) -> Household:
    """A household of the caller's register; 404 otherwise."""
    statement = select(Household).where(col(Household.id) == household_id)
    return await _one(session, _held(statement) if lock else statement)


def _held(statement: Select[Entity]) -> Select[Entity]:
    """The row until the transaction ends, as it is once nobody else holds it, whatever was read of it before.

    Rows may still refer to it meanwhile: who copies this client waits for nobody who renames her.
    """
    return statement.with_for_update(key_share=True).execution_options(populate_existing=True)


async def _one(session: AsyncSession, statement: Select[Entity]) -> Entity:
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    await load_keys(session, [home_of(row)])
    return row


async def supervises(session: AsyncSession, case_id: UUID) -> bool:
    """Does the caller oversee the case, if only as a stub?"""
    rows = await fetch(session, "select app_supervises(%(case_id)s) as oversees", {"case_id": case_id})
    return bool(rows[0].oversees)
