"""JSON from strangers: refuses what Python lets through and a database or another parser chokes on."""

import json
import math
import re
from typing import Any, NoReturn

from starlette.requests import Request

MAX_DEPTH = 32  # objects and arrays inside one another
MAX_NUMBER = 40  # characters
_INT64 = range(-(2**63), 2**63)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL stores neither


class StrictJsonError(json.JSONDecodeError):
    """Why a body was refused: its `msg` is a code and it holds nothing of the body.

    Codes: json_invalid, json_encoding, json_duplicate_key, json_too_deep, json_not_a_number,
    json_number_too_long, json_number_out_of_range, json_invalid_text.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code, "", 0)
        self.code = code


class StrictRequest(Request):
    """A request whose `json()` is strict; raises StrictJsonError."""

    async def json(self) -> Any:
        """The body as Python values, parsed once."""
        if not hasattr(self, "_json"):
            self._json = loads(await self.body())
        return self._json


def loads(body: bytes) -> Any:
    """UTF-8 JSON of at most 32 levels as Python values; raises only StrictJsonError."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise StrictJsonError("json_encoding") from None
    if text.startswith("\ufeff"):
        raise StrictJsonError("json_encoding")
    try:
        value = _DECODER.decode(text)
    except StrictJsonError:
        raise
    except RecursionError:
        raise StrictJsonError("json_too_deep") from None
    except ValueError:
        raise StrictJsonError("json_invalid") from None
    # Raw surrogates and NUL fail above, so only an escape can bring them in; few brackets cannot nest deeply.
    if b"\\u" in body or body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _inspect(value)
    return value


def _inspect(value: Any) -> None:
    """Refuses deep nesting and unstorable text, level by level, so that no depth exhausts the stack."""
    level, depth = [value], 1
    while level:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, str) and _UNSTORABLE.search(item):
                raise StrictJsonError("json_invalid_text")
            if isinstance(item, list | dict):
                if depth > MAX_DEPTH:
                    raise StrictJsonError("json_too_deep")
                inner.extend(item)
                if isinstance(item, dict):
                    inner.extend(item.values())
        level, depth = inner, depth + 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJsonError("json_duplicate_key")
    return members


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER:
        raise StrictJsonError("json_number_too_long")
    number = int(digits)
    if number not in _INT64:
        raise StrictJsonError("json_number_out_of_range")
    return number


def _real(digits: str) -> float:
    if len(digits) > MAX_NUMBER:
        raise StrictJsonError("json_number_too_long")
    number = float(digits)
    if math.isinf(number):
        raise StrictJsonError("json_number_out_of_range")
    return number


def _no_constant(name: str) -> NoReturn:
    raise StrictJsonError("json_not_a_number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_real, parse_constant=_no_constant
)
