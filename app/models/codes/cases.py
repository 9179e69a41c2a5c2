"""Codes: a case, from its opening to its end."""

from enum import StrEnum


class Category(StrEnum):
    """What a case is about."""

    HEALTH_REFERRAL = "health_referral"
    DOMESTIC_VIOLENCE = "domestic_violence"
    MARITAL_ISSUE = "marital_issue"
    SOCIAL_ASSISTANCE = "social_assistance"
    FINANCIAL_ASSISTANCE = "financial_assistance"
    VITAL_DOCUMENTS = "vital_documents"
    ID_POOR = "id_poor"
    LAND_DISPUTE = "land_dispute"
    DISASTER_RELIEF = "disaster_relief"


class Sensitivity(StrEnum):
    """Who may see a case; it is raised and never lowered."""

    STANDARD = "standard"
    SENSITIVE = "sensitive"


class CaseStatus(StrEnum):
    """Where a case stands in its lifecycle."""

    INTAKE = "intake"
    ASSESSMENT = "assessment"
    PLANNING = "planning"
    IMPLEMENTATION = "implementation"
    FOLLOW_UP = "follow_up"
    CLOSURE_REQUESTED = "closure_requested"
    CLOSED = "closed"


class Priority(StrEnum):
    """How soon something must be done (FHIR request-priority)."""

    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"
    STAT = "stat"


class RiskLevel(StrEnum):
    """The danger that the client is in."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NOT_ASSESSED = "not_assessed"


class AssignmentRole(StrEnum):
    """What a person is on one case."""

    LEAD = "lead"
    CASEWORKER = "caseworker"
    LIAISON = "liaison"
    REVIEWER = "reviewer"
    COVER = "cover"


class AccessVia(StrEnum):
    """By what a person sees a case."""

    LEAD = "lead"
    ASSIGNED = "assigned"
    COVER = "cover"
    LIAISON = "liaison"
    REVIEWER = "reviewer"
    ORGANISATION = "organisation"
    BREAK_GLASS = "break_glass"


class NoteAudience(StrEnum):
    """Who reads a note."""

    CASEWORKERS = "caseworkers"
    TEAM = "team"


class CaseloadLevel(StrEnum):
    """How much one person carries. Over the limit: by a supervisor's decision, or by cases that they opened."""

    NORMAL = "normal"
    HIGH = "high"
    FULL = "full"
    OVER = "over"


class TransferStatus(StrEnum):
    """Where a transfer to another organisation stands."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class ClosureReason(StrEnum):
    """Why a case is closed."""

    NEEDS_MET = "needs_met"
    CLIENT_REQUEST = "client_request"
    NO_CONTACT = "no_contact"
    MOVED_AWAY = "moved_away"
    TRANSFERRED = "transferred"
    DIED = "died"
    NOT_ELIGIBLE = "not_eligible"
    DECLINED = "declined"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Outcome(StrEnum):
    """How the client stands at closure."""

    RESOLVED = "resolved"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    WORSE = "worse"
    UNKNOWN = "unknown"


class Decision(StrEnum):
    """Answer to a request."""

    APPROVE = "approve"
    DECLINE = "decline"
