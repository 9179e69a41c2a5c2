"""Codes: who a user is, and what is known of a person."""

from enum import StrEnum


class Role(StrEnum):
    """What a user is, and so what she may do at all."""

    CASEWORKER = "caseworker"
    SUPERVISOR = "supervisor"
    CCWC_LIAISON = "ccwc_liaison"
    PARTNER = "partner"
    AUDITOR = "auditor"
    ADMIN = "admin"


class UserRequestKind(StrEnum):
    """What an admin asks about an account, and somebody else confirms."""

    CREATE = "create"
    CHANGE = "change"
    PASSWORD_RESET = "password_reset"  # noqa: S105 (a code)
    MFA_RESET = "mfa_reset"
    CLIENT = "client"  # a system of a partner: confirmed under its organisation, not as a user


class OrganisationKind(StrEnum):
    """What an organisation is."""

    NGO = "ngo"
    COMMUNE_COUNCIL = "commune_council"
    HEALTH = "health"
    SOCIAL_SERVICES = "social_services"
    LEGAL_AID = "legal_aid"
    POLICE = "police"
    COURT = "court"
    SHELTER = "shelter"
    EDUCATION = "education"
    GOVERNMENT = "government"
    OTHER = "other"


class AreaLevel(StrEnum):
    """Level of an administrative area in the NCDD gazetteer; not in the agreed lists."""

    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"
    VILLAGE = "village"


class PersonRole(StrEnum):
    """What a person is in a case; not in the agreed lists."""

    CLIENT = "client"
    CHILD = "child"
    CAREGIVER = "caregiver"
    OTHER = "other"


class Sex(StrEnum):
    """Sex, as the person says."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class AgeBand(StrEnum):
    """Age in completed years, in disjoint bands."""

    FROM_0_TO_4 = "00-04"
    FROM_5_TO_11 = "05-11"
    FROM_12_TO_17 = "12-17"
    FROM_18_TO_29 = "18-29"
    FROM_30_TO_44 = "30-44"
    FROM_45_TO_59 = "45-59"
    FROM_60 = "60+"
    UNKNOWN = "unknown"


class MaritalStatus(StrEnum):
    """Marital status."""

    SINGLE = "single"
    MARRIED_REGISTERED = "married_registered"
    MARRIED_CUSTOMARY = "married_customary"
    COHABITING = "cohabiting"
    SEPARATED = "separated"
    DIVORCED = "divorced"
    WIDOWED = "widowed"
    UNKNOWN = "unknown"


class Difficulty(StrEnum):
    """Answer to a question of the Washington Group's short set."""

    NONE = "none"
    SOME = "some"
    A_LOT = "a_lot"
    CANNOT_DO = "cannot_do"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class IdPoorLevel(StrEnum):
    """A household's ID Poor level."""

    NONE = "none"
    ID_POOR_1 = "id_poor_1"
    ID_POOR_2 = "id_poor_2"
    AT_RISK = "at_risk"
    APPLIED = "applied"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Language(StrEnum):
    """Language that a person speaks or reads."""

    KM = "km"
    EN = "en"
    OTHER = "other"


class PhoneOwner(StrEnum):
    """Whose phone it is."""

    SELF = "self"
    SPOUSE = "spouse"
    PARENT = "parent"
    CHILD = "child"
    RELATIVE = "relative"
    NEIGHBOUR = "neighbour"
    OTHER = "other"
    UNKNOWN = "unknown"


class CaregiverDoubt(StrEnum):
    """Why a caregiver neither agrees for a child nor is a way to her."""

    SUSPECTED = "suspected"
    UNSAFE = "unsafe"


class CaregiverBypass(StrEnum):
    """Why a minor is cared for without a caregiver's consent."""

    CAREGIVER_SUSPECTED = "caregiver_suspected"
    UNSAFE = "unsafe"
    ABSENT = "absent"
    MATURE_MINOR = "mature_minor"


class MatchReason(StrEnum):
    """Why two records may be of the same person; not in the agreed lists."""

    SAME_PHONE = "same_phone"
    SAME_NAME = "same_name"
    NEAR_NAME = "near_name"
    BIRTH_YEAR = "birth_year"
    VILLAGE = "village"
