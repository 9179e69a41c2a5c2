"""The columns of a register: which fields there are for each kind, and which header stands for which."""

from collections.abc import Mapping, Sequence

from app.errors import FieldError, Invalid
from app.models.codes.files import ImportKind
from app.registers import programme
from app.registers.cells import Cell, CellError, safe_text
from app.text import search_key

MOST_COLUMNS = 60

PERSON = (
    *("alias", "known_as", "family_name_km", "given_name_km", "family_name_en", "given_name_en", "sex", "birth_date"),
    *("phone", "phone_owner", "safe_to_call", "second_phone", "village_code", "address", "marital_status", "language"),
)
FIELDS: dict[ImportKind, tuple[str, ...]] = {
    ImportKind.PEOPLE: PERSON,
    ImportKind.HOUSEHOLDS: ("village_code", "id_poor_level", "equity_card_number", "size"),
    ImportKind.CASES: (
        *("category", "sensitivity", "priority", "commune_code", "summary", "opened_on", "referred_from"),
        *("consent_purpose", "consent_form", "consent_on", *PERSON),
    ),
    **programme.FIELDS,
}
TELLING = ("category", "sensitivity")  # what makes a row sensitive
REQUIRED: dict[ImportKind, tuple[str, ...]] = {
    ImportKind.PEOPLE: (),
    ImportKind.HOUSEHOLDS: (),
    ImportKind.CASES: ("category", "commune_code", "summary"),
    **programme.REQUIRED,
}

# What commune offices write above their columns.
KNOWN_AS = {
    "នាមត្រកូល": "family_name_km",
    "គោត្តនាម": "family_name_km",
    "នាមខ្លួន": "given_name_km",
    "family name": "family_name_en",
    "given name": "given_name_en",
    "ភេទ": "sex",
    "ថ្ងៃខែឆ្នាំកំណើត": "birth_date",
    "date of birth": "birth_date",
    "លេខទូរស័ព្ទ": "phone",
    "ទូរស័ព្ទ": "phone",
    "លេខកូដភូមិ": "village_code",
    "លេខកូដឃុំ": "commune_code",
    "អាសយដ្ឋាន": "address",
}


def fields_of(
    header: Sequence[Cell], kind: ImportKind, mapping: Mapping[str, str | None] | None
) -> tuple[str | None, ...]:
    """The field of each column, None for one that is left out. Raises Invalid, which says which column by its number.

    A `mapping` names every column by its header, with a field or null; without one a header is a field's name, or a
    usual word for it. What is not known is never passed over in silence.
    """
    if len(header) > MOST_COLUMNS:
        raise Invalid.at("/file", "too_many_columns", "A register has at most 60 columns.")
    wanted = None if mapping is None else _checked(mapping, kind)
    errors, fields, heard = [], [], set()
    for place, cell in enumerate(header):
        name, pointer = _name(cell), f"/file/columns/{place + 1}"
        field = None
        if name in heard:
            errors.append(FieldError(pointer, "duplicate_column", "Two columns have the same header."))
        elif wanted is not None and name in wanted:
            field = wanted[name]
        elif wanted is None and (known := _detected(name, kind)) is not None:
            field = known
        else:
            errors.append(FieldError(pointer, "unknown_column", "No field is known by this header."))
        if field is not None and field in fields:
            errors.append(FieldError(pointer, "duplicate_column", "Two columns stand for the same field."))
        heard.add(name)
        fields.append(field)
    errors += _missing(fields, kind, heard, wanted)
    if errors:
        raise Invalid(errors[:50])
    return tuple(fields)


def _missing(
    fields: Sequence[str | None], kind: ImportKind, heard: set[str], wanted: Mapping[str, str | None] | None
) -> list[FieldError]:
    errors = [
        FieldError(f"/{field}", "column_missing", "This field needs a column.")
        for field in REQUIRED[kind]
        if field not in fields
    ]
    if wanted is not None and not wanted.keys() <= heard:
        errors.append(FieldError("/mapping", "unknown_column", "The file has no such column."))
    if not any(fields):
        errors.append(FieldError("/file", "column_missing", "No column stands for a field."))
    return errors


def _checked(mapping: Mapping[str, str | None], kind: ImportKind) -> dict[str, str | None]:
    if any(field is not None and field not in FIELDS[kind] for field in mapping.values()):
        raise Invalid.at("/mapping", "unknown_field", "There is no such field.")
    return {search_key(header): field for header, field in mapping.items()}


def _name(cell: Cell) -> str:
    try:
        return search_key(safe_text(cell) or "")
    except CellError as error:
        raise Invalid.at("/file", error.code, error.message) from None


def _detected(name: str, kind: ImportKind) -> str | None:
    field = _KNOWN.get(name, name.replace(" ", "_"))
    return field if field in FIELDS[kind] else None


_KNOWN = {search_key(header): field for header, field in KNOWN_AS.items()}
