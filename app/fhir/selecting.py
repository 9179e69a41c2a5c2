"""From a search to the referrals that it asks for: what the list itself can narrow, and the exact look at each row."""

from collections.abc import Callable
from uuid import UUID

from app.fhir.referrals import is_told
from app.fhir.searches import (
    PatientSearch,
    ReferralSearch,
    ServiceRequestSearch,
    TaskSearch,
    earliest,
    reference_to,
    statuses_of,
    within,
)
from app.fhir.service_request import RequestStatus
from app.fhir.states import REQUEST, TASK
from app.fhir.task import TaskStatus
from app.models.codes.referrals import ReferralStatus
from app.models.referral_reads import ReferralFace
from app.services.referral_pages import ReferralQuery

Keep = Callable[[ReferralFace], bool]

_organisation = reference_to("Organization")


def asked_of(search: ReferralSearch, organisation_id: UUID | None) -> ReferralQuery:
    """What the list narrows by itself: the direction, one status, a first moment."""
    sides = {"incoming": _recipient(search), "outgoing": getattr(search, "requester", None)}
    own = [way for way, named in sides.items() if named is not None and _organisation(named) == organisation_id]
    states = _states(search)
    return ReferralQuery.model_validate(
        {
            "limit": search.count,
            "cursor": search.cursor,
            "direction": own[0] if own else None,
            "status": next(iter(states)) if states is not None and len(states) == 1 else None,
            "updated_after": earliest(search.last_updated),
        }
    )


def keep(search: ReferralSearch) -> Keep:
    """Whether a referral is really meant."""
    bounds = [within(one) for one in search.last_updated]
    states, recipient, sender = _states(search), _recipient(search), getattr(search, "requester", None)
    told_only = isinstance(search, PatientSearch)

    def meant(one: ReferralFace) -> bool:
        return (
            all(bound(one.updated_at) for bound in bounds)
            and (states is None or one.status in states)
            and (recipient is None or one.recipient.id == _organisation(recipient))
            and (sender is None or one.sender.id == _organisation(sender))
            and (not told_only or is_told(one))
        )

    return meant


def only_one(search: ReferralSearch) -> str | None:
    """The one referral that `_id` or `focus` names, "" for two different ones, which nothing is."""
    focus = search.focus if isinstance(search, TaskSearch) else None
    named = {one for one in (search.id_, focus and str(reference_to("ServiceRequest")(focus))) if one is not None}
    return None if not named else named.pop() if len(named) == 1 else ""


def _recipient(search: ReferralSearch) -> str | None:
    if isinstance(search, TaskSearch):
        return search.owner
    return search.performer if isinstance(search, ServiceRequestSearch) else None


def _states(search: ReferralSearch) -> frozenset[ReferralStatus] | None:
    if isinstance(search, TaskSearch) and search.status is not None:
        wanted = statuses_of(TaskStatus)(search.status)
        return frozenset(ours for ours, task in TASK.items() if task in wanted)
    if isinstance(search, ServiceRequestSearch) and search.status is not None:
        meant = statuses_of(RequestStatus)(search.status)
        return frozenset(ours for ours, request in REQUEST.items() if request in meant)
    return None
