"""The steps of a referral by either side, and the progress between two of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.errors import Forbidden, IllegalTransition, NotFound
from app.models.codes.referrals import ReferralBusinessStatus, ReferralOutcome, ReferralReason, ReferralStatus
from app.models.referral import OPEN_STATUSES, Referral, ReferralDirection, ReferralTransition, ReferralUpdate
from app.models.referral_reads import PartnerRead, ReferralRead
from app.permissions import Permission
from app.preconditions import check_match, check_match_if_sent
from app.sealing import opened, ring_of, seal
from app.security import Actor
from app.services.addressed import referral_row
from app.services.referral_content import OPEN_PART
from app.services.referral_keys import gone_meanwhile, load_its_keys
from app.services.referral_steps import Side, business_after, check_step, open_until
from app.services.referral_views import full_read, is_partner_of
from app.services.visible import access_for

HOLD = "select hold_referral(%(id)s) as side"
MOVE = """
    select move_referral(%(id)s, %(status)s, %(reason_code)s, %(outcome_code)s, %(business_status)s, %(appointment_at)s,
                         %(until)s, %(words)s, %(what)s) as version
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A referral that is locked, and the side on which the caller acts."""

    row: Referral
    side: Side


async def move_referral(
    session: AsyncSession, actor: Actor, referral_id: UUID, step: ReferralTransition, if_match: str | None = None
) -> ReferralRead | PartnerRead:
    """Take it a step on. 409 `illegal_transition` with the steps that the caller's side has; 403 for the other's."""
    held = await hold(session, actor, referral_id)
    row, said = held.row, None
    check_match_if_sent(if_match, row.version)
    check_step(row.status, held.side, step)
    if held.side is Side.RECIPIENT or row.direction is ReferralDirection.IN:
        said = step.reason  # of either side, for both: of a partner's own client nothing is told by it
    elif step.reason is not None:
        # Who wrote it knows the client: the recipient is told the code alone.
        seal(session, row, {**opened(session, row), "ended_because": step.reason})
        with gone_meanwhile():
            await session.flush()
    await _write(
        session,
        held,
        actor,
        status=step.to,
        reason_code=step.reason_code or (ReferralReason.OTHER if step.reason else None),
        outcome_code=step.outcome_code,
        business_status=business_after(None, step.appointment_at, row.business_status),
        appointment_at=step.appointment_at or row.appointment_at,
        said=said,
        what=step.to.value,
    )
    return await full_read(session, actor, await referral_row(session, referral_id))


async def change_referral(
    session: AsyncSession, actor: Actor, referral_id: UUID, change: ReferralUpdate, if_match: str | None
) -> ReferralRead | PartnerRead:
    """Appointment and visit, by the recipient while the referral is worked on. 428/412 by If-Match."""
    held = await hold(session, actor, referral_id)
    row, sent = held.row, change.sent()
    check_match(if_match, row.version)
    if held.side is not Side.RECIPIENT:
        raise Forbidden
    if row.status not in OPEN_STATUSES or row.status is ReferralStatus.REQUESTED:
        raise IllegalTransition
    if sent:
        given = sent.get("business_status")
        await _write(
            session,
            held,
            actor,
            status=row.status,
            reason_code=row.reason_code,
            outcome_code=row.outcome_code,
            business_status=business_after(given, sent.get("appointment_at"), row.business_status),
            appointment_at=sent.get("appointment_at", row.appointment_at),
            said=None,
            what="appointment",
        )
    return await full_read(session, actor, await referral_row(session, referral_id))


async def hold(session: AsyncSession, actor: Actor, referral_id: UUID) -> Held:
    """The referral, seen (404), permitted (403) and locked; 404 when the caller's side was lost meanwhile."""
    row = await referral_row(session, referral_id)
    partner = is_partner_of(row, actor)
    if not partner:
        answers = row.direction is ReferralDirection.IN
        await access_for(session, row.case_id, Permission.REFERRAL_ANSWER if answers else Permission.REFERRAL_MOVE)
    elif row.partner_id != actor.organisation_id:
        raise Forbidden  # a partner's account of the sending organisation follows, and does nothing
    acts = (await fetch(session, HOLD, {"id": referral_id}))[0].side
    if acts is None:
        raise NotFound
    row = await referral_row(session, referral_id)
    await load_its_keys(session, row)
    partner_asks = row.direction is ReferralDirection.IN
    return Held(row, Side.SENDER if (acts == "partner") == partner_asks else Side.RECIPIENT)


async def _write(
    session: AsyncSession,
    held: Held,
    actor: Actor,
    *,
    status: ReferralStatus,
    reason_code: ReferralReason | None,
    outcome_code: ReferralOutcome | None,
    business_status: ReferralBusinessStatus | None,
    appointment_at: datetime | None,
    said: str | None,
    what: str,
) -> None:
    row, ring = held.row, ring_of(session)
    public: dict[str, Any] = ring.open(OPEN_PART, row.id, row.id, row.open_sealed)
    words = public if said is None else {**public, "reason": said, "reason_of": status.value}
    values = {
        "id": row.id,
        "status": status.value,
        "reason_code": reason_code and reason_code.value,
        "outcome_code": outcome_code and outcome_code.value,
        "business_status": business_status and business_status.value,
        "appointment_at": appointment_at,
        "until": open_until(session.info["settings"], status, actor.now),
        "words": ring.seal(OPEN_PART, row.id, row.id, words),
        "what": what,
    }
    with gone_meanwhile():
        await fetch(session, MOVE, values)
