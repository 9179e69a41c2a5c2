"""From the cells of a row to the body that the API itself would take for it, or to what is wrong with them.

A row is held to the very models of `POST /cases`, `/people` and `/households`, so that no rule is written twice.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from app.calendar import refuse_future_day
from app.errors import FieldError, Invalid, field_errors
from app.models.base import Body
from app.models.case import CaseCreate
from app.models.codes.files import ImportKind
from app.models.person import HouseholdCreate, PersonCreate
from app.registers import programme
from app.registers.cells import (
    Cell,
    CellError,
    area_of,
    cell_from_json,
    code_of,
    day_of_cell,
    flag_of,
    number_of,
    safe_text,
)

Values = dict[str, Any]
RowErrors = tuple[FieldError, ...]

MODELS: dict[ImportKind, type[Body]] = {
    ImportKind.CASES: CaseCreate,
    ImportKind.PEOPLE: PersonCreate,
    ImportKind.HOUSEHOLDS: HouseholdCreate,
    **programme.MODELS,
}
CODES = {
    "category": "category",
    "sensitivity": "sensitivity",
    "priority": "priority",
    "referred_from": "referred_from",
    "consent_purpose": "consent_purpose",
    "consent_form": "consent_form",
    "sex": "sex",
    "phone_owner": "phone_owner",
    "marital_status": "marital_status",
    "language": "language",
    "id_poor_level": "id_poor_level",
}
_READERS: dict[str, Callable[[Cell], Any]] = {
    "commune_code": area_of,
    "village_code": area_of,
    "safe_to_call": flag_of,
    "size": number_of,
    "phone": lambda cell: safe_text(cell, is_phone=True),
    "second_phone": lambda cell: safe_text(cell, is_phone=True),
    **programme.READERS,
}
_DAYS = {"birth_date", "opened_on", "consent_on", *programme.DAYS}
# Where the models' fields have no column of their own name.
_COLUMN_OF = (
    (re.compile(r"/phones/0/number"), "/phone"),
    (re.compile(r"/phones/1/number"), "/second_phone"),
    (re.compile(r"/phones/0/owner"), "/phone_owner"),
    (re.compile(r"/phones/0/safe_to_call"), "/safe_to_call"),
    (re.compile(r"/consents/0/obtained_on"), "/consent_on"),
    (re.compile(r"/consents/0/form"), "/consent_form"),
    (re.compile(r"/consents/0/purpose"), "/consent_purpose"),
    (re.compile(r"/consents.*"), "/consent_purpose"),
    *programme.COLUMN_OF,
)


@dataclass(frozen=True, slots=True)
class RowRead:
    """One row: the body that it is, or why it is none."""

    number: int
    body: Body | None
    errors: RowErrors = ()


def read_rows(document: Mapping[str, Any], kind: ImportKind, now: datetime) -> Iterator[RowRead]:
    """The rows of a chunk (`Chunk.document`, parsed). Whether areas and colleagues exist is not asked here."""
    fields, date_system = document["fields"], document["date_system"]
    codes = CODES | programme.CODES.get(kind, {})
    for number, cells in document["rows"]:
        found = zip(fields, map(cell_from_json, cells), strict=False)
        values, errors = _values(found, date_system, codes)
        yield RowRead(number, None, tuple(errors)) if errors else _as_body(number, values, kind, now)


def _values(
    cells: Iterator[tuple[str | None, Cell]], date_system: int | None, codes: Mapping[str, str]
) -> tuple[Values, Sequence[FieldError]]:
    values: Values = {}
    errors = []
    for field, cell in cells:
        if field is None or cell is None:
            continue
        try:
            values |= _read(field, cell, date_system, codes)
        except CellError as error:
            errors.append(FieldError(f"/{field}", error.code, error.message))
    return values, errors


def _read(field: str, cell: Cell, date_system: int | None, codes: Mapping[str, str]) -> Values:
    if field in _DAYS:
        found = day_of_cell(cell, date_system)
        if found is None:
            return {}
        day, precision = found
        if field != "birth_date" and precision != "day":
            raise CellError("invalid_date", "This date needs its day.")
        return {field: day, f"{field}_precision": precision}
    if field in codes:
        return {field: code_of(cell, codes[field])}
    return {field: _READERS.get(field, safe_text)(cell)}


def _as_body(number: int, values: Values, kind: ImportKind, now: datetime) -> RowRead:
    try:
        body = MODELS[kind].model_validate(_SHAPES[kind](values))
    except ValidationError as error:
        found = field_errors([{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)])
        return RowRead(number, None, tuple(FieldError(column_of(one.pointer), one.code, one.message) for one in found))
    try:
        _check_days(body, now)
    except Invalid as refused:
        return RowRead(number, None, refused.errors)
    return RowRead(number, body)


def _check_days(body: Body, now: datetime) -> None:
    client = body.client if isinstance(body, CaseCreate) else body
    if isinstance(body, CaseCreate):
        refuse_future_day(body.opened_on, now, "/opened_on")
        for consent in body.consents:
            refuse_future_day(consent.obtained_on, now, "/consent_on")
    if isinstance(client, PersonCreate):
        refuse_future_day(client.birth_date, now, "/birth_date")


def column_of(pointer: str) -> str:
    """The column of a register that stands for a field of a body."""
    plain = pointer.removeprefix("/client")
    return next((column for pattern, column in _COLUMN_OF if pattern.fullmatch(plain)), plain)


def _person(values: Values) -> Values:
    names = PersonCreate.model_fields.keys() - {"phones", "household_id", "disability"}
    person = {name: values[name] for name in names if name in values}
    phones = [{"number": values["phone"]}] if "phone" in values else []
    for column, name in (("phone_owner", "owner"), ("safe_to_call", "safe_to_call")):
        if phones and column in values:
            phones[0][name] = values[column]
    if "second_phone" in values:
        phones.append({"number": values["second_phone"]})
    return {**person, "phones": phones}


def _household(values: Values) -> Values:
    return {name: value for name, value in values.items() if name in HouseholdCreate.model_fields}


def _case(values: Values) -> Values:
    own = ("category", "sensitivity", "priority", "commune_code", "village_code", "summary", "opened_on")
    case = {name: values[name] for name in (*own, "referred_from") if name in values}
    consent = {
        name: values[column]
        for column, name in (("consent_purpose", "purpose"), ("consent_form", "form"), ("consent_on", "obtained_on"))
        if column in values
    }
    consents = [{"purpose": "services", **consent}] if consent else []
    return {**case, "client": _person(values), "consents": consents}


_SHAPES: dict[ImportKind, Callable[[Values], Values]] = {
    ImportKind.CASES: _case,
    ImportKind.PEOPLE: _person,
    ImportKind.HOUSEHOLDS: _household,
    **programme.SHAPES,
}
