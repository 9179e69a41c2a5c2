"""What of a case goes to another organisation: what the client's consent names, and the intake that is made of it.

Always told: the category and how sensitive it is, on which the walls there rest, and the province. Never: incidents,
assessments, notes, health, whereabouts.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from app.calendar import day_of
from app.models.case import CaseCreate, CaseRow
from app.models.codes.cases import Category, Priority, RiskLevel, Sensitivity
from app.models.codes.consents import SharedField
from app.models.codes.referrals import ReferredFrom
from app.models.person import NAMES, PersonCreate
from app.services.names import age_on

F = SharedField
SNAPSHOT = "transfers.snapshot"  # what the blob is bound to
OF_CLIENT: Mapping[SharedField, tuple[str, ...]] = {
    F.NAME: NAMES,
    F.PHONE: ("phones",),
    F.VILLAGE: ("village_code",),
    F.LANGUAGE: ("language",),
    F.DISABILITY: ("disability",),
}
NOT_TO_BE_CONTACTED = {"do_not_contact": True}


def content_of(
    case: CaseRow, sex: str, client: Mapping[str, Any], fields: Collection[SharedField], now: datetime
) -> dict[str, Any]:
    """The snapshot, as JSON: `client` is the opened private part of the client's row."""
    told = {name: client[name] for field in fields for name in OF_CLIENT.get(field, ()) if client.get(name) is not None}
    if F.AGE in fields and (age := age_on(client, day_of(now))) is not None:
        # The age, not the birthday: the first day of the year that gives it today.
        told |= {"birth_date": date(day_of(now).year - age, 1, 1).isoformat(), "birth_date_precision": "year"}
    if F.SEX in fields:
        told["sex"] = sex
    content = {
        F.COMMUNE: ("commune_code", case.commune_code),
        F.VILLAGE: ("village_code", case.private.get("village_code")),
        F.NEED_SUMMARY: ("summary", case.private["summary"]),
        F.SAFE_CONTACT: ("safe_contact", case.private.get("safe_contact")),
        F.RISK_LEVEL: ("risk_level", case.risk_level),
    }
    return {"client": told, "priority": case.priority, **dict(content[field] for field in content if field in fields)}


def intake_of(taken: Any, content: Mapping[str, Any]) -> CaseCreate:
    """The intake at the receiver. `taken` is a row of `accept_transfer`, `content` the opened snapshot.

    Where contact is suspended, nobody is told how she was reached. A client without a name is called by the transfer's
    code, and what is not told of the need is only that it came by a transfer.
    """
    client, contact = dict(content["client"]), content.get("safe_contact")
    village = content.get("village_code")
    if taken.contact_suspended:
        contact, village = NOT_TO_BE_CONTACTED, None
        client.pop("phones", None)
        client.pop("village_code", None)
    commune = content.get("commune_code", taken.province_code)
    if not any(client.get(name) for name in NAMES):
        client["alias"] = taken.code
    return CaseCreate(
        category=Category(taken.category),
        client=PersonCreate(**client),
        commune_code=commune,
        village_code=village if village and village.startswith(commune) else None,
        sensitivity=Sensitivity(taken.sensitivity),
        priority=Priority(content["priority"]),
        summary=content.get("summary", taken.code),
        safe_contact=contact,
        referred_from=ReferredFrom.NGO,
    )


def risk_of(content: Mapping[str, Any]) -> RiskLevel:
    """The risk as it was told."""
    return RiskLevel(content.get("risk_level", RiskLevel.NOT_ASSESSED))
