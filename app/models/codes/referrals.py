"""Codes: referrals, and the services that they go to."""

from enum import StrEnum


class ReferredFrom(StrEnum):
    """Who sent the client."""

    SELF = "self"
    FAMILY_OR_NEIGHBOUR = "family_or_neighbour"
    SMART_WOMAN = "smart_woman"
    VILLAGE_HEALTH_SUPPORT_GROUP = "village_health_support_group"
    CCWC = "ccwc"
    VILLAGE_CHIEF = "village_chief"
    HEALTH_SERVICE = "health_service"
    POLICE = "police"
    LEGAL_AID = "legal_aid"
    SCHOOL = "school"
    NGO = "ngo"
    HOME_VISIT = "home_visit"
    PUBLIC_FORUM = "public_forum"
    HOTLINE = "hotline"
    OTHER = "other"


class ReferralStatus(StrEnum):
    """Where a referral stands (FHIR Task.status)."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"


class ReferralBusinessStatus(StrEnum):
    """Where the appointment of a referral stands."""

    SCHEDULED = "scheduled"
    NO_SHOW = "no_show"
    APPOINTMENT_CANCELLED = "appointment_cancelled"
    VISITED = "visited"


class ReferralOutcome(StrEnum):
    """How a referral ended for the client."""

    ATTENDED = "attended"
    REFUSED_SERVICE = "refused_service"
    NOT_FOUND = "not_found"
    TURNED_AWAY = "turned_away"
    REFERRED_ON = "referred_on"
    OTHER = "other"


class ReferralReason(StrEnum):
    """Why a referral was rejected or failed."""

    NOT_ELIGIBLE = "not_eligible"
    NO_CAPACITY = "no_capacity"
    WRONG_SERVICE = "wrong_service"
    CLIENT_DECLINED = "client_declined"
    UNREACHABLE = "unreachable"
    UNSAFE = "unsafe"
    DUPLICATE = "duplicate"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    OTHER = "other"


class Sector(StrEnum):
    """The field of a service, shown where its type may not be."""

    HEALTH = "health"
    PSYCHOSOCIAL = "psychosocial"
    SAFETY = "safety"
    LEGAL = "legal"
    POLICE = "police"
    SHELTER = "shelter"
    LIVELIHOODS = "livelihoods"
    SOCIAL_PROTECTION = "social_protection"
    EDUCATION = "education"
    REGISTRATION = "registration"
    RELIEF = "relief"
    OTHER = "other"


class ServiceType(StrEnum):
    """What a service does."""

    FAMILY_PLANNING = "family_planning"
    SAFE_ABORTION = "safe_abortion"
    ANTENATAL_CARE = "antenatal_care"
    CLINICAL_MANAGEMENT_OF_RAPE = "clinical_management_of_rape"
    GENERAL_HEALTH = "general_health"
    MENTAL_HEALTH = "mental_health"
    PSYCHOSOCIAL_SUPPORT = "psychosocial_support"
    LEGAL_AID = "legal_aid"
    POLICE_PROTECTION = "police_protection"
    SHELTER = "shelter"
    CASH_ASSISTANCE = "cash_assistance"
    FOOD_ASSISTANCE = "food_assistance"
    LIVELIHOODS = "livelihoods"
    ID_POOR_ENROLMENT = "id_poor_enrolment"
    BIRTH_CERTIFICATE = "birth_certificate"
    MARRIAGE_CERTIFICATE = "marriage_certificate"
    LAND_CERTIFICATE = "land_certificate"
    EDUCATION = "education"
    RELIEF_ITEMS = "relief_items"
    OTHER = "other"


# Where the type of a service may not be shown, its sector is.
SERVICE_TYPE_SECTOR: dict[ServiceType, Sector] = {
    ServiceType.FAMILY_PLANNING: Sector.HEALTH,
    ServiceType.SAFE_ABORTION: Sector.HEALTH,
    ServiceType.ANTENATAL_CARE: Sector.HEALTH,
    ServiceType.CLINICAL_MANAGEMENT_OF_RAPE: Sector.HEALTH,
    ServiceType.GENERAL_HEALTH: Sector.HEALTH,
    ServiceType.MENTAL_HEALTH: Sector.PSYCHOSOCIAL,
    ServiceType.PSYCHOSOCIAL_SUPPORT: Sector.PSYCHOSOCIAL,
    ServiceType.LEGAL_AID: Sector.LEGAL,
    ServiceType.POLICE_PROTECTION: Sector.POLICE,
    ServiceType.SHELTER: Sector.SHELTER,
    ServiceType.CASH_ASSISTANCE: Sector.SOCIAL_PROTECTION,
    ServiceType.FOOD_ASSISTANCE: Sector.RELIEF,
    ServiceType.LIVELIHOODS: Sector.LIVELIHOODS,
    ServiceType.ID_POOR_ENROLMENT: Sector.SOCIAL_PROTECTION,
    ServiceType.BIRTH_CERTIFICATE: Sector.REGISTRATION,
    ServiceType.MARRIAGE_CERTIFICATE: Sector.REGISTRATION,
    ServiceType.LAND_CERTIFICATE: Sector.REGISTRATION,
    ServiceType.EDUCATION: Sector.EDUCATION,
    ServiceType.RELIEF_ITEMS: Sector.RELIEF,
    ServiceType.OTHER: Sector.OTHER,
}


class ServiceStatus(StrEnum):
    """Whether a service of the directory can be used; the words of HSDS."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DEFUNCT = "defunct"
    TEMPORARILY_CLOSED = "temporarily_closed"


class ServiceCapacity(StrEnum):
    """Whether a service takes more people."""

    OPEN = "open"
    FULL = "full"
    UNKNOWN = "unknown"


class ServiceWarningCode(StrEnum):
    """What to think of before sending a client to a service, or taking in whom a partner sends; never a refusal."""

    AGE_NOT_SERVED = "age_not_served"
    SEX_NOT_SERVED = "sex_not_served"
    FULL = "full"
    NOT_ASSURED = "not_assured"
    NOBODY_ANSWERS = "nobody_answers"
    SECTOR_NOT_OFFERED = "sector_not_offered"
    CONSENT_INCOMPLETE = "consent_incomplete"


class Weekday(StrEnum):
    """Days on which a service is open, as iCalendar writes them."""

    MONDAY = "MO"
    TUESDAY = "TU"
    WEDNESDAY = "WE"
    THURSDAY = "TH"
    FRIDAY = "FR"
    SATURDAY = "SA"
    SUNDAY = "SU"
