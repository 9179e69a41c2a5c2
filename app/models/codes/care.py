"""Codes: what is done for her, and what is next."""

from enum import StrEnum


class ActionNeed(StrEnum):
    """The need that a step of the care plan answers."""

    SAFETY = "safety"
    HEALTH = "health"
    PSYCHOSOCIAL = "psychosocial"
    JUSTICE = "justice"
    LIVELIHOOD = "livelihood"
    DOCUMENTS = "documents"
    SHELTER = "shelter"
    EDUCATION = "education"
    OTHER = "other"


class ActionPrompt(StrEnum):
    """What the server asks for because of what was recorded; not in the agreed lists."""

    URGENT_HEALTH = "urgent_health"
    FIRST_STEP = "first_step"
    NEW_ASSESSMENT = "new_assessment"


class ContactChannel(StrEnum):
    """How a client is contacted."""

    VISIT = "visit"
    PHONE = "phone"
    SMS = "sms"
    MESSENGER = "messenger"
    THROUGH_TRUSTED_PERSON = "through_trusted_person"
    OFFICE = "office"


class FollowUpOutcome(StrEnum):
    """What came of a follow-up."""

    MET_SAFE = "met_safe"
    MET_CONCERN = "met_concern"
    MET_NEW_INCIDENT = "met_new_incident"
    NOT_FOUND = "not_found"
    DECLINED = "declined"
    MOVED_AWAY = "moved_away"
    UNSAFE_TO_CONTACT = "unsafe_to_contact"
    RESCHEDULED = "rescheduled"


class WorklistKind(StrEnum):
    """Why something is on the worklist, most urgent first: this order is the ranking. Labels are neutral on purpose."""

    CARE_WINDOW = "care_window"
    NEW_INCIDENT = "new_incident"
    OVERDUE_HIGH_RISK = "overdue_high_risk"
    ESCALATED = "escalated"
    NEEDS_REVIEW = "needs_review"
    CONFIRMATION = "confirmation"
    FOLLOW_UP = "follow_up"
    ACTION = "action"
    PLAN_REVIEW = "plan_review"
    NO_DATE = "no_date"
    TRANSFER = "transfer"
    REFERRAL_OVERDUE = "referral_overdue"
    REFERRAL = "referral"
    APPROVAL = "approval"
    CLOSURE_REVIEW = "closure_review"
    BREAK_GLASS_REVIEW = "break_glass_review"
    SCREENING_MATCH = "screening_match"
    LEADERLESS = "leaderless"
    COVER_ENDS = "cover_ends"
    COVER = "cover"
    CONSENT_ENDS = "consent_ends"
    SAFE_CONTACT_UNCONFIRMED = "safe_contact_unconfirmed"
