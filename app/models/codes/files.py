"""Codes: what comes in as a register and goes out as a release."""

from enum import StrEnum


class ImportKind(StrEnum):
    """What each row of a register becomes."""

    CASES = "cases"
    PEOPLE = "people"
    HOUSEHOLDS = "households"
    ACTIVITIES = "activities"
    HOME_VISITS = "home_visits"
    BUSINESSES = "businesses"
    FEEDBACK = "feedback"
    DISTRIBUTIONS = "distributions"


class ImportState(StrEnum):
    """Where an import stands."""

    QUEUED = "queued"
    CHECKING = "checking"
    CHECKED = "checked"
    COMMITTING = "committing"
    COMMITTED = "committed"
    FAILED = "failed"
    EXPIRED = "expired"


class ImportRowStatus(StrEnum):
    """What the check says of a row."""

    OK = "ok"
    ERROR = "error"
    DUPLICATE_SUGGESTED = "duplicate_suggested"
    UNCHANGED = "unchanged"


class ExportAttribute(StrEnum):
    """The one attribute of a narrow export table."""

    CATEGORY = "category"
    REFERRAL_TYPE = "referral_type"
    CLOSURE_OUTCOME = "closure_outcome"
    DISABILITY = "disability"
    ID_POOR = "id_poor"
    ASSISTANCE_KIND = "assistance_kind"
    ASSISTANCE_AMOUNT_BAND = "assistance_amount_band"
    FIRST_FOLLOW_UP_BAND = "first_follow_up_band"
    STATUS = "status"


class ExportState(StrEnum):
    """Where an export stands."""

    REQUESTED = "requested"
    FREEZING = "freezing"
    FROZEN = "frozen"
    RELEASED = "released"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
