"""The states of a referral (FHIR Task's) and who takes it from one to the next: referrals.md, "States"."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from app.errors import Forbidden, IllegalTransition, Invalid
from app.models.codes.referrals import ReferralBusinessStatus, ReferralStatus
from app.models.referral import OPEN_STATUSES, Referral, ReferralDirection, ReferralTransition
from app.settings import Settings

S = ReferralStatus


class Side(StrEnum):
    """Who asked, and who is asked."""

    SENDER = "sender"
    RECIPIENT = "recipient"


_RECIPIENT, _EITHER = frozenset({Side.RECIPIENT}), frozenset(Side)
STEPS: Mapping[ReferralStatus, Mapping[ReferralStatus, frozenset[Side]]] = {
    S.REQUESTED: {S.ACCEPTED: _RECIPIENT, S.REJECTED: _RECIPIENT, S.CANCELLED: _EITHER},
    S.ACCEPTED: {**dict.fromkeys((S.IN_PROGRESS, S.ON_HOLD, S.COMPLETED, S.FAILED), _RECIPIENT), S.CANCELLED: _EITHER},
    S.IN_PROGRESS: {**dict.fromkeys((S.ON_HOLD, S.COMPLETED, S.FAILED), _RECIPIENT), S.CANCELLED: _EITHER},
    S.ON_HOLD: {**dict.fromkeys((S.IN_PROGRESS, S.COMPLETED, S.FAILED), _RECIPIENT), S.CANCELLED: _EITHER},
}
MISTAKEN = {S.ENTERED_IN_ERROR: frozenset({Side.SENDER})}  # from any state
REASON_NEEDED = frozenset({S.REJECTED, S.CANCELLED, S.ON_HOLD, S.FAILED})


def steps_from(status: ReferralStatus) -> Mapping[ReferralStatus, frozenset[Side]]:
    """Where a referral can go from here, and who takes it there."""
    return {**STEPS.get(status, {}), **(MISTAKEN if status is not S.ENTERED_IN_ERROR else {})}


def check_step(status: ReferralStatus, side: Side, step: ReferralTransition) -> None:
    """403 for a step that only the other side takes, 409 for one that nobody takes, 422 for what it lacks."""
    allowed = steps_from(status)
    if step.to not in allowed:
        raise IllegalTransition([to for to, sides in allowed.items() if side in sides])
    if side not in allowed[step.to]:
        raise Forbidden
    if step.to in REASON_NEEDED and step.reason_code is None and step.reason is None:
        raise Invalid.at("/reason_code", "required", "This step needs a reason.")
    if step.to is S.COMPLETED and step.outcome_code is None:
        raise Invalid.at("/outcome_code", "required", "What came of it must be said.")
    if step.to is not S.COMPLETED and step.outcome_code is not None:
        raise Invalid.at("/outcome_code", "not_allowed", "An outcome comes with the completion, nowhere else.")


def open_until(settings: Settings, status: ReferralStatus, now: datetime) -> datetime | None:
    """Until when the recipient reads what was told, if nothing more happens; None where it does not, or not yet."""
    if status is S.COMPLETED:
        return now + timedelta(days=settings.referral_open_after_completion_days)
    if status in OPEN_STATUSES and status is not S.REQUESTED:
        return now + timedelta(days=settings.referral_open_without_change_days)
    return None


def business_after(
    given: ReferralBusinessStatus | None, appointment_at: datetime | None, before: ReferralBusinessStatus | None
) -> ReferralBusinessStatus | None:
    """A new appointment is `scheduled` unless something else is said of it."""
    if given is not None:
        return given
    return ReferralBusinessStatus.SCHEDULED if appointment_at is not None else before


def may_share_anew(row: Referral) -> None:
    """409 for telling anew what is at its end, or what the partner sent."""
    if row.direction is not ReferralDirection.OUT or row.status not in OPEN_STATUSES:
        raise IllegalTransition
