"""Codes: what she agreed to, and what was told outside."""

from enum import StrEnum


class ConsentPurpose(StrEnum):
    """What the client agreed to."""

    SERVICES = "services"
    REFERRAL = "referral"
    CCWC_SUPPORT = "ccwc_support"
    STATISTICS = "statistics"


class ConsentGivenBy(StrEnum):
    """Who agreed."""

    CLIENT = "client"
    CAREGIVER = "caregiver"
    CLIENT_AND_CAREGIVER = "client_and_caregiver"


class ConsentForm(StrEnum):
    """How the agreement was given."""

    WRITTEN = "written"
    VERBAL = "verbal"
    THUMBPRINT = "thumbprint"


class SharedField(StrEnum):
    """What of a person a consent lets a recipient see."""

    NAME = "name"
    SEX = "sex"
    AGE = "age"
    PHONE = "phone"
    SAFE_CONTACT = "safe_contact"
    VILLAGE = "village"
    COMMUNE = "commune"
    LANGUAGE = "language"
    DISABILITY = "disability"
    NEED_SUMMARY = "need_summary"
    RISK_LEVEL = "risk_level"


class DisclosureBasis(StrEnum):
    """Why something was told outside."""

    VITAL_INTEREST = "vital_interest"
    MANDATORY_REPORT = "mandatory_report"
    COURT_ORDER = "court_order"
    CLIENT_REQUEST = "client_request"
