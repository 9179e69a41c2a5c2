"""What the dry run says of a row beside its errors: the caseload of who is to lead, and the consent of a minor."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of
from app.caseload import CaseloadLimits
from app.errors import FieldError
from app.models.base import Body
from app.models.case import CaseCreate
from app.models.codes.cases import CaseloadLevel
from app.models.codes.consents import ConsentPurpose
from app.models.codes.files import ImportKind
from app.models.imports import Import
from app.security import Actor
from app.services.agreed import may_be_minor
from app.services.carrying import led_by, level_at, limits_of

FULL = FieldError("/lead_id", "caseload_full", "The lead carries as many cases as allowed.")
WARNED = {
    CaseloadLevel.HIGH: FieldError("/lead_id", "caseload_high", "The lead carries many cases."),
    CaseloadLevel.FULL: FieldError("/lead_id", "caseload_high", "The lead carries many cases."),
    CaseloadLevel.OVER: FieldError("/lead_id", "caseload_over", "The lead carries more cases than allowed."),
}
MINOR = FieldError(
    "/consent_purpose", "caregiver_required", "She may be under 18: a caregiver's consent is needed too."
)


@dataclass(slots=True)
class Room:
    """How many open cases the lead carries, with those of the rows that were weighed.

    As where a case is opened (`services.carrying`): who leads the rows herself is warned only, another lead is refused
    more than allowed, unless the supervisor who imports says why.
    """

    limits: CaseloadLimits | None
    led: int
    chosen: bool

    def take(self, reason: str | None) -> tuple[CaseloadLevel, FieldError | None]:
        """One more case: how full the caseload is with it, and why there is no room for it."""
        level = level_at(self.limits, self.led + 1)
        if level is CaseloadLevel.OVER and self.chosen and reason is None:
            return level, FULL
        self.led += 1
        return level, None


async def room_of(session: AsyncSession, actor: Actor, source: Import) -> Room:
    """The room that there is when the work on an import begins."""
    if source.kind is not ImportKind.CASES:
        return Room(None, 0, chosen=False)
    lead_id = source.lead_id or actor.id
    return Room(limits_of(session), await led_by(session, lead_id), chosen=lead_id != actor.id)


def minor_without_caregiver(body: Body, actor: Actor) -> bool:
    """Is this a case whose consent to services does not count by itself?"""
    if not isinstance(body, CaseCreate) or body.client is None or body.client.birth_date is None:
        return False
    born = {
        "birth_date": body.client.birth_date.isoformat(),
        "birth_date_precision": body.client.birth_date_precision,
    }
    serves = any(consent.purpose is ConsentPurpose.SERVICES for consent in body.consents)
    return serves and may_be_minor(born, day_of(actor.now))
