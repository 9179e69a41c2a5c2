"""What to think of before sending somebody to a service. It warns and never refuses: who helps her decides."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.errors import NotFound
from app.labels import code_lists
from app.models.codes.people import Sex
from app.models.codes.referrals import SERVICE_TYPE_SECTOR, Sector, ServiceType, ServiceWarningCode
from app.models.service import ServiceWarning
from app.permissions import Permission

ASSURED_FOR_DAYS = 182  # half a year: what nobody has looked at since is perhaps no longer so
FIND = """
    select minimum_age, maximum_age, sex_served, capacity_open,
           (app_now() at time zone 'Asia/Phnom_Penh')::date - assured_on as days_since_assured
      from services where id = %(service_id)s
"""
# Who of an organisation answers a referral: its people, and systems that one of them said yes to.
ANSWERS = """
    select exists (select from users u join organisations o on o.id = u.organisation_id and o.active
                    where u.organisation_id = %(organisation_id)s and u.active and u.role in ('partner', 'supervisor')
                      and (not u.system or (u.confirmed_at is not null and %(answering)s = any (u.scopes)))
                  ) as somebody,
           array(select distinct s.service_type::text from services s
                  where s.organisation_id = %(organisation_id)s and s.status = 'active') as service_types
"""
_LABELS = {entry.code: entry for entry in code_lists()["service_warning"]}


async def warnings_of(session: AsyncSession, service_id: UUID, *, age: int | None, sex: Sex) -> list[ServiceWarning]:
    """What does not fit somebody of this age (completed years) and sex, in the order of the code list.

    What is not known of her warns of nothing. 404 for an unknown service; its status is for the caller to look at.
    """
    rows = await fetch(session, FIND, {"service_id": service_id})
    if not rows:
        raise NotFound
    return told(_found(rows[0], age, sex))


async def recipient_warnings(session: AsyncSession, organisation_id: UUID, sector: Sector) -> list[ServiceWarning]:
    """What to think of before asking this organisation for something of a sector. Who has no entry in the directory
    may offer anything."""
    row = (
        await fetch(session, ANSWERS, {"organisation_id": organisation_id, "answering": Permission.REFERRAL_ANSWER})
    )[0]
    offered = {SERVICE_TYPE_SECTOR[ServiceType(one)] for one in row.service_types}
    holds = {
        ServiceWarningCode.NOBODY_ANSWERS: not row.somebody,
        ServiceWarningCode.SECTOR_NOT_OFFERED: bool(offered) and sector not in offered,
    }
    return told({code for code, held in holds.items() if held})


def told(found: set[ServiceWarningCode]) -> list[ServiceWarning]:
    """These with their labels, in the order of the code list."""
    return [
        ServiceWarning(code=code, en=_LABELS[code].en, km=_LABELS[code].km)
        for code in ServiceWarningCode
        if code in found
    ]


def _found(service: Any, age: int | None, sex: Sex) -> set[ServiceWarningCode]:
    since = service.days_since_assured
    too_young = age is not None and service.minimum_age is not None and age < service.minimum_age
    too_old = age is not None and service.maximum_age is not None and age > service.maximum_age
    holds = {
        ServiceWarningCode.AGE_NOT_SERVED: too_young or too_old,
        ServiceWarningCode.SEX_NOT_SERVED: service.sex_served not in {None, sex.value} and sex is not Sex.UNKNOWN,
        ServiceWarningCode.FULL: service.capacity_open is False,
        ServiceWarningCode.NOT_ASSURED: since is None or since > ASSURED_FOR_DAYS,
    }
    return {code for code, held in holds.items() if held}
