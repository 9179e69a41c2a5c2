"""From what Pydantic found to field errors that hold nothing of what was submitted."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

from app.errors.problems import FieldError

MAX_ERRORS = 50  # an array of a thousand wrong items is told once, not a thousand times

FIELD = "field"
_GENERIC = "This value is not valid."
_BUILT_IN = frozenset(get_args(ErrorType))
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")

_KNOWN: dict[str, tuple[str, str]] = {
    "missing": ("required", "This field is required."),
    "extra_forbidden": ("unknown_field", "There is no such field."),
    "enum": ("unknown_code", "This is not one of the codes of the list."),
    "literal_error": ("unknown_code", "This is not one of the codes of the list."),
    "union_tag_invalid": ("unknown_code", "This is not one of the codes of the list."),
    "none_required": ("must_be_null", "This field must be null."),
    "string_type": ("invalid_text", "This must be text."),
    "string_unicode": ("invalid_text", "This must be text."),
    "string_too_long": ("too_long", "This text is too long."),
    "string_too_short": ("too_short", "This text is too short."),
    "string_pattern_mismatch": ("invalid_format", "This text does not have the expected form."),
    "too_long": ("too_many", "There are too many items."),
    "too_short": ("too_few", "There are too few items."),
    "list_type": ("invalid_list", "This must be a list."),
    "dict_type": ("invalid_object", "This must be an object."),
    "model_type": ("invalid_object", "This must be an object."),
    "model_attributes_type": ("invalid_object", "This must be an object."),
    "bool_type": ("invalid_boolean", "This must be true or false."),
    "bool_parsing": ("invalid_boolean", "This must be true or false."),
    "int_type": ("invalid_number", "This must be a whole number."),
    "int_parsing": ("invalid_number", "This must be a whole number."),
    "int_parsing_size": ("out_of_range", "This number is out of range."),
    "int_from_float": ("invalid_number", "This must be a whole number."),
    "float_type": ("invalid_number", "This must be a number."),
    "float_parsing": ("invalid_number", "This must be a number."),
    "finite_number": ("out_of_range", "This number is out of range."),
    "greater_than": ("out_of_range", "This is below the range allowed."),
    "greater_than_equal": ("out_of_range", "This is below the range allowed."),
    "less_than": ("out_of_range", "This is above the range allowed."),
    "less_than_equal": ("out_of_range", "This is above the range allowed."),
    "uuid_type": ("invalid_id", "This must be an id (UUID)."),
    "uuid_parsing": ("invalid_id", "This must be an id (UUID)."),
    "uuid_version": ("invalid_id", "This must be an id (UUID, version 4)."),
    "date_type": ("invalid_date", "This must be a date, YYYY-MM-DD."),
    "date_parsing": ("invalid_date", "This must be a date, YYYY-MM-DD."),
    "date_from_datetime_parsing": ("invalid_date", "This must be a date, YYYY-MM-DD."),
    "date_from_datetime_inexact": ("invalid_date", "This must be a date, YYYY-MM-DD."),
    "date_past": ("not_past", "This day must be past."),
    "date_future": ("not_future", "This day must be to come."),
    "datetime_type": ("invalid_time", "This must be a time, RFC 3339."),
    "datetime_parsing": ("invalid_time", "This must be a time, RFC 3339."),
    "datetime_object_invalid": ("invalid_time", "This must be a time, RFC 3339."),
    "datetime_from_date_parsing": ("invalid_time", "This must be a time, RFC 3339."),
    "datetime_past": ("not_past", "This time must be past."),
    "datetime_future": ("not_future", "This time must be to come."),
    "timezone_aware": ("timezone_required", "This time must state its offset from UTC."),
}

_JSON: dict[str, str] = {
    "json_invalid": "The body is not JSON.",
    "json_encoding": "The body is not UTF-8 without a byte order mark.",
    "json_duplicate_key": "An object names a member twice.",
    "json_too_deep": "Objects and lists are nested too deeply.",
    "json_not_a_number": "NaN and Infinity are not JSON.",
    "json_number_too_long": "A number has too many digits.",
    "json_number_out_of_range": "A number is out of range.",
    "json_null": "FHIR has no null: what has no value is left out.",
    "json_invalid_text": "A text holds a character that cannot be stored.",
}


def field_errors(found: Sequence[Mapping[str, Any]], body: object = None) -> list[FieldError]:
    """The first 50 of `found`, as Pydantic's or FastAPI's `errors()` gives them, without what was submitted.

    Locations start with "body", "query", "header" or "cookie", as FastAPI has them. With `body`, the parsed
    body, a pointer follows only what is really in it: Pydantic puts union tags into locations as well.
    """
    return [FieldError(_pointer(error, body) + _about(error), *_words(error)) for error in found[:MAX_ERRORS]]


def _about(error: Mapping[str, Any]) -> str:
    """What is wrong with two fields together points to the one to be changed: `{"field": …}` in the error's context."""
    field = error.get("ctx", {}).get(FIELD) if error["type"] not in _BUILT_IN else None
    return f"/{field}" if field is not None else ""


def _words(error: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message of one error."""
    kind = str(error["type"])
    if kind == "json_invalid":
        # FastAPI puts our StrictJsonError's code here, or, from the plain parser, a sentence.
        code = str(error.get("ctx", {}).get("error", ""))
        return (code, _JSON[code]) if code in _JSON else (kind, _JSON[kind])
    if kind in _KNOWN:
        return _KNOWN[kind]
    if not _CODE.fullmatch(kind):
        return "invalid", _GENERIC
    return kind, _GENERIC if kind in _BUILT_IN else _own_message(error)


def _own_message(error: Mapping[str, Any]) -> str:
    """The message of a PydanticCustomError of ours, unless a value may have been put into it."""
    message, given = str(error["msg"]), str(error.get("input"))
    echoes = len(given) > 2 and given in message  # shorter ones occur in any sentence
    return _GENERIC if error.get("ctx", {}).keys() - {FIELD} or echoes else message


def _pointer(error: Mapping[str, Any], body: object) -> str:
    place, *steps = error["loc"] or ("body",)
    if error["type"] == "json_invalid":
        return ""
    if place != "body":
        names = [str(step) for step in steps[:1] if _PARAMETER.fullmatch(str(step))]
        return "/".join(["", str(place), *names])
    pointer, value = "", body
    for left, step in enumerate(steps, start=1 - len(steps)):
        missing = left == 0 and error["type"] == "missing"
        if body is not None and not missing and not _leads_on(value, step):
            continue
        # A name that is not plain may be anything that the caller typed: the pointer ends at its parent.
        # Plain names hold neither "~" nor "/", so RFC 6901 has nothing to escape.
        if not isinstance(step, int) and not _NAME.fullmatch(str(step)):
            return pointer
        pointer = f"{pointer}/{step}"
        value = _inside(value, step)
    return pointer


def _leads_on(value: object, step: int | str) -> bool:
    if isinstance(value, Mapping):
        return step in value
    return isinstance(value, list | tuple) and isinstance(step, int)


def _inside(value: object, step: int | str) -> object:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
