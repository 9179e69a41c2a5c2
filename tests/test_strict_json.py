"""What a stranger may not send as JSON, and that Khmer arrives untouched."""

import asyncio
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from app.strict_json import StrictJsonError, StrictRequest, loads

REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "json_invalid"),
    "blank": (b" ", "json_invalid"),
    "not json": (b"{note: 1}", "json_invalid"),
    "unfinished": (b'{"note": ', "json_invalid"),
    "two values": (b"1 2", "json_invalid"),
    "trailing comma": (b"[1,]", "json_invalid"),
    "raw NUL": (b'"\x00"', "json_invalid"),
    "raw control character": (b'"\x1f"', "json_invalid"),
    "half an escape": (b'"\\u12"', "json_invalid"),
    "latin-1": (b'"\xe9"', "json_encoding"),
    "raw surrogate": (b'"\xed\xa0\x80"', "json_encoding"),
    "overlong slash": (b'"\xc0\xaf"', "json_encoding"),
    "byte order mark": (b"\xef\xbb\xbf{}", "json_encoding"),
    "utf-16": ('{"a":1}'.encode("utf-16"), "json_encoding"),
    "utf-16 without mark": ('{"a":1}'.encode("utf-16-le"), "json_invalid"),
    "utf-32 without mark": (b"1".decode().encode("utf-32-be"), "json_invalid"),
    "duplicate key": (b'{"a":1,"a":2}', "json_duplicate_key"),
    "duplicate key inside": (b'[{"b":{"a":1,"a":1}}]', "json_duplicate_key"),
    "duplicate key by escape": (b'{"a":1,"\\u0061":2}', "json_duplicate_key"),
    "NaN": (b"[NaN]", "json_not_a_number"),
    "Infinity": (b'{"a":Infinity}', "json_not_a_number"),
    "minus Infinity": (b"-Infinity", "json_not_a_number"),
    "1e400": (b"1e400", "json_number_out_of_range"),
    "-1e400": (b"-1e400", "json_number_out_of_range"),
    "ten thousand digits": (b"1" * 10_000, "json_number_too_long"),
    "ten thousand decimals": (b"0." + b"1" * 10_000, "json_number_too_long"),
    "one above 64 bits": (b"9223372036854775808", "json_number_out_of_range"),
    "one below 64 bits": (b"-9223372036854775809", "json_number_out_of_range"),
    "lone high surrogate": (b'{"note":"\\ud800"}', "json_invalid_text"),
    "lone low surrogate": (b'["\\udc00x"]', "json_invalid_text"),
    "surrogates in the wrong order": (b'"\\udc00\\ud800"', "json_invalid_text"),
    "surrogate in a key": (b'{"\\ud800":1}', "json_invalid_text"),
    "surrogate in an inner key": (b'[[{"a":{"\\udfff":1}}]]', "json_invalid_text"),
    "escaped NUL": (b'{"a":["x\\u0000y"]}', "json_invalid_text"),
    "escaped NUL in a key": (b'{"\\u0000":1}', "json_invalid_text"),
    "33 lists": (b"[" * 33 + b"]" * 33, "json_too_deep"),
    "33 objects": (b'{"a":' * 33 + b"1" + b"}" * 33, "json_too_deep"),
    "100,000 lists": (b"[" * 100_000 + b"]" * 100_000, "json_too_deep"),
    "100,000 lists never closed": (b"[" * 100_000, "json_too_deep"),
    "100,000 objects never closed": (b'{"a":' * 100_000, "json_too_deep"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_client_needs_is_refused_with_its_own_code(name: str) -> None:
    body, code = REFUSED[name]
    with pytest.raises(StrictJsonError) as refusal:
        loads(body)
    assert refusal.value.code == refusal.value.msg == code


def test_a_refusal_is_what_the_framework_takes_for_bad_json_and_holds_nothing_of_the_body() -> None:
    with pytest.raises(json.JSONDecodeError) as refusal:
        loads(b'{"name": "Sokha-marker" ')
    assert "Sokha-marker" not in f"{refusal.value} {refusal.value.doc} {vars(refusal.value)}"
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b' {"a": [1, 2.5, true, null, ""]} ', {"a": [1, 2.5, True, None, ""]}),
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\ud800"', "\\ud800"),
        (b"[" * 32 + b"]" * 32, json.loads("[" * 32 + "]" * 32)),
        (b'"' + b"[" * 500 + b'"', "[" * 500),
        (b"[" + b",".join([b"[]"] * 500) + b"]", [[]] * 500),
    ],
)
def test_honest_json_is_read_as_it_is(body: bytes, value: object) -> None:
    assert loads(body) == value


def test_khmer_with_its_joiners_and_combining_order_arrives_untouched() -> None:
    text = "ស្ត្រី\u200bនិង\u200dកុមារី\u200c"
    assert loads(json.dumps({"note": text}, ensure_ascii=False).encode()) == {"note": text}
    assert loads(json.dumps({"note": text}).encode()) == {"note": text}
    assert unicodedata.is_normalized("NFC", text)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_else(body: bytes) -> None:
    try:
        loads(body)
    except StrictJsonError:
        return
    assert json.loads(body.decode()) is not Ellipsis  # accepted: then the plain parser accepts it too


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcកខ", max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(values, st.booleans())
def test_whatever_an_honest_client_encodes_comes_back(value: object, escape: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=escape).encode()) == value


def test_a_request_reads_strictly_and_only_once() -> None:
    parts: list[Message] = [
        {"type": "http.request", "body": b'{"a":', "more_body": True},
        {"type": "http.request", "body": b"1}", "more_body": False},
    ]

    async def receive() -> Message:
        return parts.pop(0)

    async def read_twice(request: Request) -> tuple[object, object]:
        return await request.json(), await request.json()

    first, second = asyncio.run(read_twice(StrictRequest({"type": "http", "headers": []}, receive)))
    assert first == {"a": 1}
    assert first is second
