"""What a referral tells its recipient: exactly the fields that the client agreed to, as they were when it was asked.

How to reach her is apart from the rest, since it closes on its own when what she says is safe changes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.calendar import day_of
from app.errors import Invalid, UnsafeContact
from app.models.case import CaseRow
from app.models.codes.consents import SharedField
from app.models.codes.people import Language
from app.models.referral import CONTACT_FIELDS
from app.services.names import age_on, display_name

F = SharedField
SNAPSHOT, CONTACT = "referral_snapshots", "referral_snapshots.contact"  # what the blobs are bound to
OPEN_PART = "referrals.open"


@dataclass(frozen=True, slots=True)
class Told:
    """The two blobs of a snapshot, as JSON."""

    words: dict[str, Any]
    contact: dict[str, Any]


def check_fields(fields: Collection[SharedField]) -> list[SharedField]:
    """The fields in their order; 422 for a phone or a village without the rules by which she may be reached."""
    chosen = set(fields)
    if chosen & {F.PHONE, F.VILLAGE} and F.SAFE_CONTACT not in chosen:
        raise Invalid.at("/shared_fields", "safe_contact_required", "Phone and village go with the safe contact only.")
    return [field for field in SharedField if field in chosen]


def check_reachable(case: CaseRow, fields: Collection[SharedField]) -> None:
    """409 for telling where to reach her, by telephone or in her village, when nobody may. That nobody may is told."""
    rules = case.private.get("safe_contact") or {}
    if rules.get("do_not_contact") and {F.PHONE, F.VILLAGE} & set(fields):
        raise UnsafeContact


def told_of(
    case: CaseRow,
    sex: str,
    client: Mapping[str, Any],
    reason: str,
    fields: Collection[SharedField],
    now: datetime,
) -> dict[str, Any]:
    """The agreed fields by name; `client` is the opened private part of the client's row."""
    everything = {
        F.NAME: display_name(client, Language.KM),
        F.SEX: sex,
        F.AGE: age_on(client, day_of(now)),
        F.PHONE: client.get("phones") or [],
        F.SAFE_CONTACT: case.private.get("safe_contact"),
        F.VILLAGE: case.private.get("village_code"),
        F.COMMUNE: case.commune_code,
        F.LANGUAGE: client.get("language"),
        F.DISABILITY: client.get("disability"),
        F.NEED_SUMMARY: reason,
        F.RISK_LEVEL: case.risk_level,
    }
    return {field: everything[field] for field in fields}


def snapshot_of(told: Mapping[str, Any], **around: Any) -> Told:
    """What is sealed: `around` is told with every yes (service type, commune, message)."""
    contact = {name: value for name, value in told.items() if name in CONTACT_FIELDS}
    rest = {name: value for name, value in told.items() if name not in CONTACT_FIELDS}
    return Told({**around, "disclosed": rest}, contact)
