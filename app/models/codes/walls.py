"""Codes: who is kept away, who looked all the same, and what must not stay."""

from enum import StrEnum


class ExclusionReason(StrEnum):
    """Why somebody must never see a case."""

    PERPETRATOR = "perpetrator"
    RELATIVE_OF_PERPETRATOR = "relative_of_perpetrator"
    FRIEND_OF_PERPETRATOR = "friend_of_perpetrator"
    RELATIVE_OF_CLIENT = "relative_of_client"
    CLIENT_WISH = "client_wish"
    OTHER_CONFLICT = "other_conflict"


class ScreeningKind(StrEnum):
    """What of a user met a perpetrator: the own name or phone, or the name of a relative."""

    NAME = "name"
    PHONE = "phone"
    RELATION = "relation"


class ScreeningStatus(StrEnum):
    """A match keeps the user away while it is open and once it is confirmed."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class ScreeningAnswer(StrEnum):
    """What the lead found out about a match."""

    SAME_PERSON = "same_person"
    SOMEBODY_ELSE = "somebody_else"


class BreakGlassReason(StrEnum):
    """Why a case was opened in an emergency."""

    DANGER_TO_LIFE = "danger_to_life"
    LEAD_UNREACHABLE = "lead_unreachable"
    COURT_OR_POLICE_EMERGENCY = "court_or_police_emergency"
    OTHER = "other"


class BreakGlassFinding(StrEnum):
    """What the review of an emergency access found."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"
    NEEDS_FOLLOW_UP = "needs_follow_up"


class WhereaboutsKind(StrEnum):
    """What kind of place a client is hidden in, or has moved to."""

    SHELTER = "shelter"
    RELATIVE = "relative"
    FRIEND = "friend"
    OTHER = "other"


class WhereaboutsReason(StrEnum):
    """Why somebody looks where a client is; there is no "other", which would say nothing."""

    CONTACT = "contact"
    DANGER = "danger"
    ACCOMPANIMENT = "accompaniment"
    COURT_OR_POLICE = "court_or_police"
    HANDOVER = "handover"
    CORRECTION = "correction"


class ErasureReason(StrEnum):
    """Why a case is taken away for good."""

    CLIENT_WISH = "client_wish"
    RECORDED_BY_MISTAKE = "recorded_by_mistake"
    LEGAL_DUTY = "legal_duty"
    OTHER = "other"


class LegalHoldBasis(StrEnum):
    """Why a case must not be erased."""

    DECIDED = "decided"
    CLIENT_DIED = "client_died"
