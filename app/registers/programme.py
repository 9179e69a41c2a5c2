"""Registers of the programme around the cases: their columns, and the bodies that their rows are.

A row names a household or a person of the register by its id, as `GET /households` and `GET /people` tell it. Who came
to an activity stands in a column for each sex and age band (`female_18_29`, `male_60`), or for a sex alone (`female`).
"""

import re
from collections.abc import Callable
from typing import Any

from app.models.activity import ActivityCreate
from app.models.base import Body
from app.models.business import BusinessCreate
from app.models.codes.files import ImportKind
from app.models.codes.people import AgeBand, Sex
from app.models.codes.programme import ParticipantGroup
from app.models.distribution import DistributionCreate
from app.models.feedback import FeedbackCreate
from app.models.home_visit import HomeVisitCreate
from app.registers.cells import Cell, code_of, flag_of, number_of, safe_text

Values = dict[str, Any]
Kind = ImportKind


def _column(sex: Sex, band: AgeBand) -> str:
    known = band.value.replace("-", "_").removesuffix("+")
    return sex.value if band is AgeBand.UNKNOWN else f"{sex.value}_{known}"


COUNTED = {_column(sex, band): (sex, band) for sex in Sex for band in AgeBand}
GROUPS = {f"group_{group.value}": group for group in ParticipantGroup}

FIELDS: dict[ImportKind, tuple[str, ...]] = {
    Kind.ACTIVITIES: (
        *("kind", "starts_on", "ends_on", "commune_code", "village_code", "topics", "facilitators", "total"),
        *("channel", "reach", "counted_how", *COUNTED, *GROUPS),
    ),
    Kind.HOME_VISITS: ("household_id", "visited_on", "caseworker_id", "topics", "outcome", "next_visit_on"),
    Kind.BUSINESSES: (
        *("kind", "owner_id", "started_on", "activity_id", "commune_code"),
        *("alive_at_3_months", "alive_at_6_months", "alive_at_12_months"),
    ),
    Kind.FEEDBACK: (
        *("public_service", "commune_code", "village_code", "sentiment", "given_on", "sex", "age_band", "people"),
        *("text", "response", "responded_on"),
    ),
    Kind.DISTRIBUTIONS: ("household_id", "cause", "item", "quantity", "distributed_on"),
}
REQUIRED: dict[ImportKind, tuple[str, ...]] = {
    Kind.ACTIVITIES: ("kind", "starts_on", "commune_code"),
    Kind.HOME_VISITS: ("household_id", "visited_on", "outcome"),
    Kind.BUSINESSES: ("kind", "owner_id", "started_on"),
    Kind.FEEDBACK: ("public_service", "commune_code", "sentiment", "given_on"),
    Kind.DISTRIBUTIONS: ("household_id", "cause", "item", "quantity", "distributed_on"),
}
MODELS: dict[ImportKind, type[Body]] = {
    Kind.ACTIVITIES: ActivityCreate,
    Kind.HOME_VISITS: HomeVisitCreate,
    Kind.BUSINESSES: BusinessCreate,
    Kind.FEEDBACK: FeedbackCreate,
    Kind.DISTRIBUTIONS: DistributionCreate,
}
# The code list of a column, where one name means different things in different registers.
CODES: dict[ImportKind, dict[str, str]] = {
    Kind.ACTIVITIES: {"kind": "activity_kind", "channel": "campaign_channel"},
    Kind.HOME_VISITS: {"outcome": "home_visit_outcome"},
    Kind.BUSINESSES: {"kind": "business_kind"},
    Kind.FEEDBACK: {"public_service": "public_service", "sentiment": "sentiment", "age_band": "age_band"},
    Kind.DISTRIBUTIONS: {"cause": "distribution_cause"},
}
DAYS = {
    *("starts_on", "ends_on", "visited_on", "next_visit_on", "started_on", "given_on", "responded_on"),
    "distributed_on",
}
_BETWEEN = re.compile("[;,|\n]")


def codes_of(cell: Cell, codes: str) -> list[str | None] | None:
    """Several codes in one cell, between commas, semicolons, bars or lines."""
    text = safe_text(cell)
    if text is None:
        return None
    return [code_of(part.strip(), codes) for part in _BETWEEN.split(text) if part.strip()]


READERS: dict[str, Callable[[Cell], Any]] = {
    "topics": lambda cell: codes_of(cell, "topic"),
    "facilitators": lambda cell: codes_of(cell, "organisation_kind"),
    **dict.fromkeys(("total", "reach", "people", "quantity", *COUNTED, *GROUPS), number_of),
    **dict.fromkeys(("alive_at_3_months", "alive_at_6_months", "alive_at_12_months"), flag_of),
}
# Where the models' fields have no column of their own name.
COLUMN_OF = (
    (re.compile(r"/attendance/total"), "/total"),
    (re.compile(r"/attendance.*"), "/attendance"),
    (re.compile(r"/campaign/channel"), "/channel"),
    (re.compile(r"/campaign/reach"), "/reach"),
    (re.compile(r"/campaign/counted_how"), "/counted_how"),
    (re.compile(r"/given_by/sex"), "/sex"),
    (re.compile(r"/given_by/age_band"), "/age_band"),
    (re.compile(r"/given_by/people"), "/people"),
    (re.compile(r"/topics/.*"), "/topics"),
    (re.compile(r"/facilitators/.*"), "/facilitators"),
)


def _own(model: type[Body]) -> Callable[[Values], Values]:
    return lambda values: {name: value for name, value in values.items() if name in model.model_fields}


def _activity(values: Values) -> Values:
    by = [
        {"sex": sex, "age_band": band, "people": values[column]}
        for column, (sex, band) in COUNTED.items()
        if values.get(column)
    ]
    groups = [{"group": group, "people": values[column]} for column, group in GROUPS.items() if values.get(column)]
    activity = _own(ActivityCreate)(values)
    if by or groups or "total" in values:
        total = values.get("total", sum(cell["people"] for cell in by))
        activity["attendance"] = {"total": total, "by": by, "groups": groups}
    campaign = {name: values[name] for name in ("channel", "reach", "counted_how") if name in values}
    return {**activity, "campaign": campaign} if campaign else activity


def _feedback(values: Values) -> Values:
    given: Values = {"sex": Sex.UNKNOWN, "age_band": AgeBand.UNKNOWN}
    given |= {name: values[name] for name in ("sex", "age_band", "people") if name in values}
    return {**_own(FeedbackCreate)(values), "given_by": given}


SHAPES: dict[ImportKind, Callable[[Values], Values]] = {
    Kind.ACTIVITIES: _activity,
    Kind.HOME_VISITS: _own(HomeVisitCreate),
    Kind.BUSINESSES: _own(BusinessCreate),
    Kind.FEEDBACK: _feedback,
    Kind.DISTRIBUTIONS: _own(DistributionCreate),
}
