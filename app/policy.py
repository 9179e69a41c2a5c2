"""Who may do what: permissions of roles, and of a caller's relation to a visible case. Read with access.md.

Visibility is not decided here: the row policies of the database did that already, and what is not visible is a 404.
A role without a permission gets 403 whatever the id; a relation without it gets 403 for a case that the caller can see.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.errors import Forbidden
from app.models.codes.cases import Category, Sensitivity
from app.models.codes.people import Role
from app.models.codes.programme import PublicService
from app.permissions import Permission
from app.relations import Access, Relation

P = Permission

# How long a sign-in or a step-up counts for what asks for one (security.require_step_up).
STEP_UP_LASTS = timedelta(minutes=5)

_SCREENING = {P.SCREENING_READ, P.SCREENING_ANSWER}
_WHEREABOUTS = {P.WHEREABOUTS_READ, P.WHEREABOUTS_EDIT}
# access.md, footnote 1: nobody else who sees the case, whatever else they read of it.
_PRIVATE = {P.HEALTH_READ, P.HEALTH_EDIT, P.ATTACHMENT_READ, P.ATTACHMENT_EDIT}
_PLAN = {P.ACTION_EDIT, P.ACTION_COMPLETE, P.ASSESSMENT_EDIT, P.SAFETY_PLAN_EDIT}
# Where supervisors do more than others, the role of a caseworker lacks the permission: to look at a high risk, to
# decide on money, to place a hold.
_RISK = {P.RISK_SET, P.RISK_REVIEW}
_DECIDE_AND_PAY = {P.ASSISTANCE_DECIDE, P.ASSISTANCE_PAY}
_HOLD = {P.LEGAL_HOLD_READ, P.LEGAL_HOLD_EDIT}
_SECOND_PERSON = {P.CONSENT_CONFIRM, P.DISCLOSURE_CONFIRM}
_ERASE = {P.ERASURE_READ, P.ERASURE_EDIT}
# The programme around the cases; what liaisons record there is of communes of theirs (services/records.py).
_OF_COMMUNES = {P.COMMITMENT_READ, P.COMMITMENT_EDIT, P.FEEDBACK_READ, P.FEEDBACK_EDIT}
_PROGRAMME = _OF_COMMUNES | {
    *(P.ACTIVITY_READ, P.ACTIVITY_EDIT, P.HOME_VISIT_READ, P.HOME_VISIT_EDIT),
    *(P.BUSINESS_READ, P.BUSINESS_EDIT, P.DISTRIBUTION_READ, P.DISTRIBUTION_EDIT),
}
_REFER = {P.REFERRAL_ASK, P.REFERRAL_MOVE, P.REFERRAL_ANSWER}

_READ_FULL = {
    *(P.CASE_READ, P.CASE_PEOPLE_READ, P.ASSIGNMENT_READ, P.CONSENT_READ, P.INCIDENT_READ, P.FOLLOW_UP_READ),
    *(P.NOTE_READ, P.TIMELINE_READ, P.ACTION_READ, P.ASSESSMENT_READ, P.SAFETY_PLAN_READ, P.ASSISTANCE_READ),
    *(P.DISCLOSURE_READ, P.TRANSFER_READ, P.REFERRAL_READ, P.HOME_VISIT_READ),
}
_EDIT = {P.CASE_EDIT, P.CASE_MOVE, P.CASE_PEOPLE_EDIT, P.CONSENT_EDIT, P.NOTE_ADD, P.FOLLOW_UP_RECORD, P.DISCLOSURE_ADD}
_EDIT |= {P.HOME_VISIT_LINK}
_WORK = (
    (_READ_FULL | _EDIT | _PLAN | _PRIVATE | _RISK | _SECOND_PERSON)
    | {P.FOLLOW_UP_PLAN, P.INCIDENT_EDIT, P.ASSISTANCE_REQUEST, P.ASSISTANCE_PAY, P.WHEREABOUTS_EDIT}
    | _HOLD
    | _REFER
)
_OVERSEE = (
    {P.ASSIGNMENT_EDIT, P.EXCLUSION_READ, P.EXCLUSION_EDIT, P.ACCESS_REPORT_READ, P.OUTSIDE_REVIEW_READ}
    | _SCREENING
    | _ERASE
    | _HOLD
)

# What a partner's people do and its systems never: an admin makes systems, so none says yes to an admin, and a person
# answers for what stands in the directory and for where a webhook leads.
_FOR_PERSONS = {
    *(P.USER_CONFIRM, P.CLIENT_READ, P.CLIENT_CONFIRM, P.CLIENT_END),
    *(P.SERVICE_EDIT, P.WEBHOOK_EDIT),
}

_EVERYONE = {P.SELF, P.SELF_DETAILS, P.CODES_READ, P.AREAS_READ, P.NOTICE_READ}
_LIAISON = _EVERYONE | {
    *(P.STAFF_READ, P.CASE_READ, P.CASE_OPEN, P.SYNC, P.WORKLIST_READ, P.ASSIGNMENT_READ, P.TIMELINE_READ),
    *(P.FOLLOW_UP_READ, P.FOLLOW_UP_RECORD, P.ACTION_READ, P.ACTION_COMPLETE, P.NOTE_READ, P.NOTE_ADD),
    *(P.DIRECTORY_READ, P.ACTIVITY_READ, *_OF_COMMUNES),
}
_CASEWORKER = (
    (_LIAISON | _READ_FULL | _EDIT | _PLAN | _PRIVATE | _SCREENING | _WHEREABOUTS | _SECOND_PERSON | _ERASE)
    | {P.PERSON_READ, P.PERSON_EDIT, P.PERSON_SEARCH, P.HOUSEHOLD_READ, P.HOUSEHOLD_EDIT, P.ORGANISATION_READ}
    | {P.ASSIGNMENT_EDIT, P.EXCLUSION_READ, P.EXCLUSION_EDIT, P.BREAK_GLASS_OPEN, P.BREAK_GLASS_READ}
    | {P.INCIDENT_EDIT, P.FOLLOW_UP_PLAN, P.RISK_SET, P.ACCESS_REPORT_READ, P.LEGAL_HOLD_READ}
    | {P.ASSISTANCE_REQUEST, P.ASSISTANCE_PAY, P.TRANSFER_EDIT}
    | {P.OUTSIDE_REVIEW_READ, P.OUTSIDE_REVIEW_ASK}
    | _REFER
    | _PROGRAMME
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.CASEWORKER: frozenset(_CASEWORKER),
    Role.SUPERVISOR: frozenset(
        _CASEWORKER
        | {P.CASELOAD_READ, P.BREAK_GLASS_REVIEW, P.USER_CONFIRM, P.LEGAL_HOLD_EDIT, P.RISK_REVIEW, P.DEATH_REVIEW}
        | {P.TRAIL_READ, P.INSIDER_REPORT_READ, P.ASSISTANCE_DECIDE, P.LEDGER_READ}
        | {P.TRANSFER_RECEIVE, P.ASSIGNMENT_HANDOVER, P.IMPORT_READ, P.IMPORT_EDIT}
        | {P.SERVICE_EDIT}
        | {P.REPORT_READ, P.REPORT_SUBMIT, P.REPORT_TARGET, P.PRACTICE_READ}
        | {P.EXPORT_READ, P.EXPORT_DOWNLOAD, P.EXPORT_APPROVE}
    ),
    Role.CCWC_LIAISON: frozenset(_LIAISON | {P.ORGANISATION_READ}),
    Role.PARTNER: frozenset(
        (_EVERYONE | _FOR_PERSONS)
        | {P.REFERRAL_READ, P.REFERRAL_ANSWER, P.REFERRAL_SEND}
        | {P.DIRECTORY_READ, P.SERVICE_EDIT}
        | {P.WEBHOOK_READ, P.EVENT_READ}
    ),
    Role.AUDITOR: frozenset(
        _EVERYONE | {P.TRAIL_READ, P.TRAIL_VERIFY, P.REPORT_READ} | {P.EXPORT_READ, P.EXPORT_REQUEST, P.EXPORT_DOWNLOAD}
    ),
    Role.ADMIN: frozenset(
        _EVERYONE
        | {P.ORGANISATION_READ, P.ORGANISATION_EDIT, P.CLIENT_READ, P.CLIENT_EDIT, P.CLIENT_END}
        | {P.DIRECTORY_READ, P.SERVICE_EDIT}
        | {P.USER_READ, P.USER_EDIT, P.USER_CONFIRM}
        | {P.OUTSIDE_REVIEW_COMPLETE}
        | {P.TRAIL_READ, P.TRAIL_VERIFY}
    ),
}


RELATION_PERMISSIONS: dict[Relation, frozenset[Permission]] = {
    Relation.LEAD: frozenset(_WORK | _OVERSEE | _WHEREABOUTS | {P.TRANSFER_EDIT, P.OUTSIDE_REVIEW_ASK}),
    Relation.ASSIGNED: frozenset(_WORK | _WHEREABOUTS),
    Relation.COVER: frozenset(_WORK),
    Relation.LIAISON: frozenset(
        {P.CASE_READ, P.ASSIGNMENT_READ, P.NOTE_READ, P.NOTE_ADD, P.TIMELINE_READ}
        | {P.FOLLOW_UP_READ, P.FOLLOW_UP_RECORD, P.ACTION_READ, P.ACTION_COMPLETE}
    ),
    Relation.REVIEWER: frozenset(
        (_READ_FULL | _OVERSEE | _RISK | _DECIDE_AND_PAY | _SECOND_PERSON)
        | {P.NOTE_ADD, P.FOLLOW_UP_RECORD, P.CASE_MOVE, P.DEATH_REVIEW, P.HOME_VISIT_LINK}
        | {P.REFERRAL_ANSWER}  # what a partner sent, while nobody leads it
    ),
    Relation.BREAK_GLASS: frozenset(_READ_FULL | {P.NOTE_ADD}),
    Relation.STAFF: frozenset(_READ_FULL),
    Relation.SUPERVISOR: frozenset(
        (_READ_FULL | _EDIT | _OVERSEE | _RISK | _DECIDE_AND_PAY | _SECOND_PERSON)
        | {P.ASSISTANCE_REQUEST, P.DEATH_REVIEW, P.TRANSFER_EDIT}
        | _REFER
    ),
    Relation.STUB: frozenset({P.ASSIGNMENT_EDIT, P.EXCLUSION_EDIT}),
}


def role_may(role: Role, permission: Permission, scopes: frozenset[str] | None = None) -> bool:
    """May this role ever use the operation? `scopes` bound a system, beside what everybody may; None: a person."""
    within = scopes is None or permission in _EVERYONE or permission in scopes
    return within and permission in ROLE_PERMISSIONS[role]


def scopes_of_systems() -> frozenset[Permission]:
    """What a partner's system may be allowed: a scope is a permission of the role that is neither everybody's nor a
    person's."""
    return ROLE_PERMISSIONS[Role.PARTNER] - _EVERYONE - _FOR_PERSONS


def may(access: Access, permission: Permission) -> bool:
    """May the caller do this to this case?"""
    return any(permission in RELATION_PERMISSIONS[relation] for relation in access.relations)


def require(access: Access, permission: Permission) -> None:
    """403 unless the caller's relation to the visible case allows it."""
    if not may(access, permission):
        raise Forbidden


SENSITIVE_CATEGORIES = frozenset({Category.HEALTH_REFERRAL, Category.DOMESTIC_VIOLENCE, Category.MARITAL_ISSUE})

# A liaison knows neither category nor sensitivity nor lead, so may not ask for them either: a filter is an answer.
LIAISON_FILTERS = frozenset({"status", "priority", "commune_code", "assigned", "sort", "limit", "cursor"})


def own_sensitivity(category: Category) -> Sensitivity:
    """The least sensitivity of a category."""
    return Sensitivity.SENSITIVE if category in SENSITIVE_CATEGORIES else Sensitivity.STANDARD


def keeps_services_of(role: Role, own_organisation: UUID | None, organisation_id: UUID) -> bool:
    """Whose entries in the directory may this caller write? Of those who may at all, an admin everybody's."""
    return role is Role.ADMIN or own_organisation == organisation_id


def keeps_record(role: Role, own: UUID | None, own_id: UUID, organisation_id: UUID, recorder_id: UUID) -> bool:
    """Who changes a record of the programme: who wrote it down, and the supervisors of its organisation."""
    return own == organisation_id and (role is Role.SUPERVISOR or own_id == recorder_id)


def records_in(role: Role, communes: Collection[str], commune: str) -> bool:
    """Where a liaison records: in communes of hers. Staff records wherever the programme works."""
    return role is not Role.CCWC_LIAISON or commune in communes


def takes_feedback_on(role: Role, service: PublicService) -> bool:
    """What is said of the commune office and the police is not for those who sit there."""
    return role is not Role.CCWC_LIAISON or service not in {PublicService.COMMUNE_OFFICE, PublicService.POLICE}


def permissions_of(role: Role, scopes: frozenset[str] | None = None) -> list[str]:
    """The permissions of a role, or of a system of it within its scopes, for /me."""
    return sorted(one.value for one in ROLE_PERMISSIONS[role] if role_may(role, one, scopes))


def forbid(condition: Any) -> None:
    """403 when the condition holds for a visible thing."""
    if condition:
        raise Forbidden
