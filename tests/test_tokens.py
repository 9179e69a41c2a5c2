"""Access tokens: every known trap of JWTs and of the library is a token that must be refused."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from app.key_pairs import TokenKey
from app.keys import KeyStore
from app.tokens import AccessTokens, Claims, InvalidToken

ISSUER, AUDIENCE = "https://samaki.example", "samaki-api"
NOW = datetime(2024, 9, 30, 8, 0, tzinfo=UTC)
IAT = int(NOW.timestamp())
SUBJECT = UUID("6c6f1d0e-7a53-4a64-9d3b-0f6d1f1f0a01")
SESSION = UUID("0c3e2c52-2f2e-4d19-8a55-5b8f6a2f3b02")
TOKEN_ID = UUID("b7a3c1de-94c2-4f0b-a4c4-2f9a7c8e1d03")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TIMES = ["iat", "nbf", "exp"]
IDS = ["sub", "sid", "jti"]
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": str(SUBJECT),
    "sid": str(SESSION),
    "jti": str(TOKEN_ID),
    "iat": IAT,
    "nbf": IAT,
    "exp": IAT + 900,
}


def new_key() -> TokenKey:
    return TokenKey(ec.generate_private_key(ec.SECP256R1()))


def tokens_of(*keys: TokenKey) -> AccessTokens:
    return AccessTokens(KeyStore(keys, (), bytes(range(32))), ISSUER, AUDIENCE)


# The same in every process, so that all workers of a parallel run collect the same tests.
NEWEST, OLDER = (TokenKey(ec.derive_private_key(number, ec.SECP256R1())) for number in (2**200 + 1, 3**150))
TOKENS = tokens_of(NEWEST, OLDER)
HEADER = {"alg": "ES256", "kid": NEWEST.kid, "typ": "at+jwt"}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def raw_signature(signing_input: str, key: TokenKey = NEWEST) -> bytes:
    der = key.private.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))


def signed(payload: bytes, header: bytes, key: TokenKey = NEWEST) -> str:
    """A token of any bytes with a true signature, made without the library under test."""
    signing_input = f"{b64(header)}.{b64(payload)}"
    return f"{signing_input}.{b64(raw_signature(signing_input, key))}"


def forge(claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, key: TokenKey = NEWEST) -> str:
    """A truly signed token that differs from a valid one in the given members only."""
    return signed(
        json.dumps({**CLAIMS, **(claims or {})}).encode(),
        json.dumps({**HEADER, **(header or {})}).encode(),
        key,
    )


def without(members: dict[str, Any], name: str) -> bytes:
    return json.dumps({key: value for key, value in members.items() if key != name}).encode()


def header_of(size: int) -> bytes:
    """A correct header, filled to `size` bytes with the white space that JSON allows."""
    text = json.dumps(HEADER)
    return (text[:-1] + " " * (size - len(text)) + "}").encode()


def assert_refused(token: Any, tokens: AccessTokens = TOKENS, now: datetime = NOW) -> None:
    """InvalidToken without a word, and without the error that led to it."""
    with pytest.raises(InvalidToken) as refusal:
        tokens.read(token, now)
    assert refusal.type is InvalidToken
    assert refusal.value.args == ()
    assert refusal.value.__context__ is None


def assert_accepted(token: str, tokens: AccessTokens = TOKENS, now: datetime = NOW) -> None:
    assert tokens.read(token, now) == Claims(SUBJECT, SESSION, TOKEN_ID)


VALID = forge()
HEADER_SEGMENT, PAYLOAD, SIGNATURE = VALID.split(".")
VALID_INPUT = f"{HEADER_SEGMENT}.{PAYLOAD}"


# What is right


def test_an_issued_token_says_who_and_which_session_for_fifteen_minutes() -> None:
    token, expires_in = TOKENS.issue(SUBJECT, SESSION, NOW)
    claims = TOKENS.read(token, NOW)
    assert (claims.subject, claims.session, expires_in) == (SUBJECT, SESSION, 900)
    assert TOKENS.read(token, NOW + timedelta(seconds=899.9)) == claims
    assert_refused(token, now=NOW + timedelta(seconds=900))


def test_an_issued_token_has_exactly_the_promised_header_and_claims() -> None:
    token, _ = TOKENS.issue(SUBJECT, SESSION, NOW + timedelta(seconds=0.9))
    header, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    assert header == HEADER
    assert {**payload, "jti": str(TOKEN_ID)} == CLAIMS
    assert len(token) < 700


def test_every_token_has_its_own_id() -> None:
    ids = {TOKENS.read(TOKENS.issue(SUBJECT, SESSION, NOW)[0], NOW).token_id for _ in range(20)}
    assert len(ids) == 20


def test_a_token_made_by_another_program_with_the_right_key_is_read() -> None:
    assert_accepted(VALID)


def test_claims_cannot_be_changed_once_read() -> None:
    with pytest.raises(AttributeError):
        TOKENS.read(VALID, NOW).subject = SESSION  # type: ignore[misc]  # the point of the test


def test_a_moment_without_a_time_zone_is_refused() -> None:
    naive = NOW.replace(tzinfo=None)
    assert_refused(VALID, now=naive)
    with pytest.raises(ValueError):  # noqa: PT011 - a mistake of the programmer needs no message
        TOKENS.issue(SUBJECT, SESSION, naive)


def test_the_moment_counts_in_whatever_time_zone_it_is_told() -> None:
    phnom_penh = NOW.astimezone(tz=datetime.strptime("+0700", "%z").tzinfo)
    assert_accepted(VALID, now=phnom_penh)
    assert TOKENS.read(TOKENS.issue(SUBJECT, SESSION, phnom_penh)[0], NOW).subject == SUBJECT


# Keys and rotation


def test_a_token_of_the_older_key_is_still_read_and_new_ones_carry_the_newest() -> None:
    assert_accepted(forge(header={"kid": OLDER.kid}, key=OLDER))
    token, _ = TOKENS.issue(SUBJECT, SESSION, NOW)
    assert tokens_of(NEWEST).read(token, NOW).subject == SUBJECT


def test_a_token_of_a_rotated_away_key_is_refused() -> None:
    token, _ = tokens_of(OLDER).issue(SUBJECT, SESSION, NOW)
    assert TOKENS.read(token, NOW).subject == SUBJECT
    assert_refused(token, tokens_of(NEWEST))


@pytest.mark.parametrize("kid", ["", "0", "../../etc/passwd", NEWEST.kid[:-1], NEWEST.kid.lower(), None, 0, []])
def test_a_wrong_kid_is_refused(kid: object) -> None:
    assert_refused(forge(header={"kid": kid}))


def test_a_kid_that_names_another_key_than_the_one_that_signed_is_refused() -> None:
    assert_refused(forge(header={"kid": OLDER.kid}, key=NEWEST))
    assert_refused(forge(header={"kid": NEWEST.kid}, key=OLDER))


def test_a_token_signed_by_a_strangers_key_is_refused() -> None:
    stranger = new_key()
    assert_refused(forge(key=stranger))
    assert_refused(forge(header={"kid": stranger.kid}, key=stranger))


def test_reading_and_issuing_build_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def building(*_: object) -> None:
        pytest.fail("a key was built for one call")

    monkeypatch.setattr("jose.backends.cryptography_backend.CryptographyECKey.__init__", building)
    monkeypatch.setattr("jose.jwk.construct", building)
    assert_accepted(VALID)
    assert TOKENS.issue(SUBJECT, SESSION, NOW)[1] == 900


# The algorithm


def test_the_library_is_always_told_the_one_algorithm(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    verify = sys.modules["jose.jws"].verify

    def watched(token: str, key: Any, algorithms: Any, **options: Any) -> bytes:
        told.append((algorithms, options))
        return bytes(verify(token, key, algorithms, **options))

    monkeypatch.setattr("app.tokens.jws.verify", watched)
    fresh, _ = TOKENS.issue(SUBJECT, SESSION, NOW)  # the signature of a token that was read before is not checked again
    assert TOKENS.read(fresh, NOW).subject == SUBJECT
    assert told == [(["ES256"], {})]


PUBLIC_FORMS = {
    "PEM": NEWEST.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "PEM-stripped": NEWEST.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
    "DER": NEWEST.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "point": NEWEST.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
    "JWK": json.dumps(NEWEST.jwk).encode(),
}


@pytest.mark.parametrize("form", PUBLIC_FORMS)
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512", "ES256"])
def test_a_keyed_hash_with_the_public_key_as_secret_is_refused(alg: str, form: str) -> None:
    signing_input = VALID_INPUT if alg == "ES256" else f"{b64(json.dumps({**HEADER, 'alg': alg}).encode())}.{PAYLOAD}"
    digest = {"HS384": "sha384", "HS512": "sha512"}.get(alg, "sha256")
    assert_refused(f"{signing_input}.{b64(hmac.digest(PUBLIC_FORMS[form], signing_input.encode(), digest))}")


@pytest.mark.parametrize("secret", [b"", b"a", b"secret", bytes(32), ISSUER.encode(), NEWEST.kid.encode()])
def test_a_keyed_hash_with_a_short_or_public_secret_is_refused(secret: bytes) -> None:
    for header in (json.dumps({**HEADER, "alg": "HS256"}).encode(), json.dumps({"alg": "HS256"}).encode()):
        signing_input = f"{b64(header)}.{PAYLOAD}"
        assert_refused(f"{signing_input}.{b64(hmac.digest(secret, signing_input.encode(), hashlib.sha256))}")


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, "dir", "HS256", "ES384"])
def test_a_token_without_a_signature_is_refused(alg: object) -> None:
    header = b64(json.dumps({**HEADER, "alg": alg}).encode())
    for signature in ("", SIGNATURE, "AA"):
        assert_refused(f"{header}.{PAYLOAD}.{signature}")


def test_the_right_algorithm_without_a_signature_is_refused() -> None:
    assert_refused(f"{VALID_INPUT}.")
    assert_refused(VALID_INPUT)
    assert_refused(f"{VALID_INPUT}.{b64(bytes(64))}")


# The library's test is `alg in algorithms`, so with a plain string it would take a part of the name.
@pytest.mark.parametrize("alg", ["ES384", "RS256", "es256", "ES", "S2", "ES256 ", 256, True, ["ES256"], {}])
def test_a_true_signature_under_another_algorithms_name_is_refused(alg: object) -> None:
    assert_refused(forge(header={"alg": alg}))


# The header


@pytest.mark.parametrize("typ", ["JWT", "jwt", "AT+JWT", "application/at+jwt", "rt+jwt", "", None, 1, ["at+jwt"]])
def test_a_wrong_typ_is_refused(typ: object) -> None:
    assert_refused(forge(header={"typ": typ}))


@pytest.mark.parametrize("name", HEADER)
def test_a_header_that_lacks_a_member_is_refused(name: str) -> None:
    assert_refused(signed(json.dumps(CLAIMS).encode(), without(HEADER, name)))


@pytest.mark.parametrize(
    "extra",
    [
        {"crit": ["exp"]},
        {"crit": ["unknown"]},
        {"crit": []},
        {"b64": False},
        {"jwk": {}},
        {"jku": "https://a.example"},
        {"x5u": ""},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"ALG": "ES256"},
        {"": 0},
    ],
    ids=json.dumps,
)
def test_an_extra_header_member_is_refused(extra: dict[str, Any]) -> None:
    assert_refused(forge(header=extra))


def test_a_header_may_have_200_bytes_and_no_more() -> None:
    payload = json.dumps(CLAIMS).encode()
    assert_accepted(signed(payload, header_of(200)))
    assert_refused(signed(payload, header_of(201)))


@pytest.mark.parametrize("depth", [40, 500, 1000, 100_000])
def test_a_deeply_nested_header_is_refused(depth: int) -> None:
    nested = "[" * depth + "]" * depth
    header = json.dumps(HEADER)[:-1].encode() + f',"crit":{nested}}}'.encode()
    assert_refused(signed(json.dumps(CLAIMS).encode(), header))
    assert_refused(f"{b64(header)}.e30.")  # depth 1,000: 2.7 KB that nobody had to sign
    assert_refused(f"{b64(('[' * depth).encode())}.e30.AA")


def test_the_parser_never_sees_a_header_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def parsing(*_: object, **__: object) -> None:
        pytest.fail("an unchecked header reached the parser")

    monkeypatch.setattr("json.loads", parsing)
    assert_refused(f"{b64(b'[' * 201)}.e30.AA")
    assert_refused(VALID + "A" * 2048)


@pytest.mark.parametrize("header", [b"", b"null", b"[]", b'"ES256"', b"1", b"{", b"{}", b"\xff", b"NaN"])
def test_a_header_that_is_no_object_is_refused(header: bytes) -> None:
    assert_refused(signed(json.dumps(CLAIMS).encode(), header))


def test_a_header_that_names_a_member_twice_is_refused() -> None:
    header = json.dumps(HEADER).encode()
    for twice in (b'{"alg":"none",' + header[1:], b'{"typ":"at+jwt",' + header[1:]):
        assert_refused(signed(json.dumps(CLAIMS).encode(), twice))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_a_header_or_payload_in_another_encoding_is_refused(encoding: str) -> None:
    short = json.dumps(HEADER, separators=(",", ":"))
    assert_refused(signed(json.dumps(CLAIMS).encode(), short.encode(encoding)))
    assert_refused(signed(json.dumps(CLAIMS).encode(encoding), json.dumps(HEADER).encode()))


@pytest.mark.parametrize(
    "change", [{"alg": "HS256"}, {"alg": "none"}, {"typ": "JWT"}, {"kid": "x"}, {"crit": []}], ids=json.dumps
)
def test_the_library_never_sees_a_header_that_is_not_ours(
    change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.tokens.jws.verify", lambda *_: pytest.fail("the library was asked"))
    assert_refused(forge(header=change))


# The claims


@pytest.mark.parametrize("name", CLAIMS)
def test_a_token_that_lacks_a_claim_is_refused(name: str) -> None:
    assert_refused(signed(without(CLAIMS, name), json.dumps(HEADER).encode()))


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize("value", [None, "", [], {}, False, [CLAIMS], {"a": 1}])
def test_a_claim_of_another_type_is_refused(name: str, value: object) -> None:
    assert_refused(forge({name: value}))


def test_a_claim_that_we_never_issue_is_refused() -> None:
    assert_refused(forge({"role": "admin"}))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-api"},
        {"aud": [AUDIENCE]},
        {"aud": [AUDIENCE, "another-api"]},
        {"aud": AUDIENCE.upper()},
        {"aud": ISSUER},
        {"iss": "https://other.example"},
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"iss": ISSUER[:-1]},
    ],
    ids=json.dumps,
)
def test_a_token_of_another_issuer_or_for_another_audience_is_refused(claims: dict[str, Any]) -> None:
    assert_refused(forge(claims))


SPELLINGS_OF_AN_ID: dict[str, Callable[[UUID], object]] = {
    "word": lambda _: "admin",
    "no hyphens": lambda id_: id_.hex,
    "braces": lambda id_: f"{{{id_}}}",
    "urn": lambda id_: id_.urn,
    "upper case": lambda id_: str(id_).upper(),
    "space": lambda id_: f"{id_} ",
    "number": lambda id_: id_.int,
    "list": lambda id_: [str(id_)],
    "other digits": lambda id_: str(id_).translate({ord(str(n)): 0x17E0 + n for n in range(10)}),
}


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("spelling", SPELLINGS_OF_AN_ID)
def test_an_id_that_is_not_a_plainly_written_uuid_is_refused(name: str, spelling: str) -> None:
    assert_refused(forge({name: SPELLINGS_OF_AN_ID[spelling](UUID(CLAIMS[name]))}))


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("form", [str, float, lambda time: [time], lambda time: f"{time}.0", lambda _: True])
def test_a_time_that_is_not_a_whole_number_is_refused(name: str, form: Callable[[int], object]) -> None:
    assert_refused(forge({name: form(CLAIMS[name])}))


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("written", ["Infinity", "-Infinity", "NaN", "1e400", "1e9", "9" * 400, "true", "-0.0"])
def test_a_time_written_as_infinity_or_beyond_is_refused(name: str, written: str) -> None:
    payload = json.dumps({**CLAIMS, name: "HERE"}).replace('"HERE"', written).encode()
    assert_refused(signed(payload, json.dumps(HEADER).encode()))


def test_true_is_not_taken_for_the_first_second_of_1970() -> None:
    dawn = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert_accepted(forge({"iat": 1, "nbf": 1, "exp": 900}), now=dawn)
    for name in ("iat", "nbf"):
        assert_refused(forge({"iat": 1, "nbf": 1, "exp": 900, name: True}), now=dawn)
    assert_refused(forge({"iat": 0, "nbf": 0, "exp": True}), now=dawn - timedelta(seconds=1))


@pytest.mark.parametrize("name", TIMES)
def test_a_negative_time_is_refused(name: str) -> None:
    if name == "nbf":  # valid since long ago is no harm
        assert_accepted(forge({name: -IAT}))
    else:
        assert_refused(forge({name: -CLAIMS[name]}))


def test_an_expired_token_is_refused_to_the_second() -> None:
    assert_accepted(forge({"exp": IAT + 1}))
    assert_refused(forge({"exp": IAT}))
    assert_refused(forge({"exp": IAT}), now=NOW + timedelta(milliseconds=1))
    assert_refused(forge({"exp": IAT - 1}))


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_a_token_from_more_than_30_seconds_ahead_is_refused(name: str) -> None:
    assert_accepted(forge({name: IAT + 30}))
    assert_refused(forge({name: IAT + 31}))
    assert_refused(forge({"iat": IAT + 31, "nbf": IAT + 31, "exp": IAT + 931}))


def test_a_token_that_would_live_longer_than_15_minutes_is_refused() -> None:
    assert_accepted(forge({"iat": IAT + 30, "exp": IAT + 930}))
    assert_refused(forge({"exp": IAT + 901}))
    assert_refused(forge({"exp": IAT + 10 * 365 * 86400}))
    # Ten years, of which all but a minute are over.
    assert_refused(forge({"iat": IAT - 10 * 365 * 86400, "exp": IAT + 60}))


def test_the_clock_is_the_one_that_is_passed_in() -> None:
    later = datetime(2044, 1, 1, tzinfo=UTC)
    token, _ = TOKENS.issue(SUBJECT, SESSION, later)
    assert TOKENS.read(token, later).subject == SUBJECT
    assert_refused(token, now=NOW)
    assert_refused(VALID, now=later)


@pytest.mark.parametrize("name", CLAIMS)
def test_a_payload_that_names_a_claim_twice_is_refused(name: str) -> None:
    payload = json.dumps(CLAIMS)
    again = json.dumps({name: CLAIMS[name]})
    assert_refused(signed(f"{payload[:-1]},{again[1:]}".encode(), json.dumps(HEADER).encode()))


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"1", b"{}", b"{", b"\xff\xfe", b'"x"', b"\xed\xa0\x80"])
def test_a_payload_that_is_no_object_of_claims_is_refused(payload: bytes) -> None:
    assert_refused(signed(payload, json.dumps(HEADER).encode()))


@pytest.mark.parametrize("depth", [100, 500, 1100])
def test_a_deeply_nested_payload_is_refused(depth: int) -> None:
    assert_refused(signed(b"[" * depth, json.dumps(HEADER).encode()))
    nested = "[" * (depth // 3) + "]" * (depth // 3)
    payload = f'{json.dumps(CLAIMS)[:-1]},"x":{nested}}}'.encode()
    assert_refused(signed(payload, json.dumps(HEADER).encode()))


# The form


def token_of(size: int) -> str:
    """A correct token, filled to `size` characters with the white space that JSON allows."""
    text = json.dumps(CLAIMS)
    # A segment is never one character longer than a multiple of four, so the header takes a share.
    for header in (header_of(size) for size in range(150, 153)):
        room = (size - len(b64(header)) - 88) * 3 // 4  # 86 of the signature and two dots
        token = signed((text[:-1] + " " * (room - len(text)) + "}").encode(), header)
        if len(token) == size:
            return token
    raise AssertionError(size)


def test_a_token_may_have_2048_characters_and_no_more() -> None:
    assert_accepted(token_of(2047))
    assert_accepted(token_of(2048))
    assert_refused(token_of(2049))


def test_a_signed_token_of_four_segments_is_refused() -> None:
    # The library drops the dot inside of the payload, and finds the signature over the whole correct.
    signing_input = f"{HEADER_SEGMENT}.{PAYLOAD[:100]}.{PAYLOAD[100:]}"
    assert_refused(f"{signing_input}.{b64(raw_signature(signing_input))}")


def test_an_altered_last_character_of_the_signature_is_refused() -> None:
    # 64 bytes leave four unused bits in the last character: sixteen spellings of the same signature.
    first = ALPHABET.index(VALID[-1])
    assert first % 16 == 0
    spellings = [VALID[:-1] + ALPHABET[first + offset] for offset in range(16)]
    assert len({base64.urlsafe_b64decode(s.split(".")[2] + "==") for s in spellings}) == 1
    assert_accepted(spellings[0])
    for spelling in spellings[1:]:
        assert_refused(spelling)


def test_an_altered_last_character_of_the_header_or_payload_is_refused_even_when_signed() -> None:
    header, payload = json.dumps(HEADER).encode(), json.dumps(CLAIMS).encode()
    # Fill until each has unused bits.
    header += b" " * ((1 - len(header)) % 3)
    payload += b" " * ((1 - len(payload)) % 3)
    assert_accepted(signed(payload, header))
    for index in (0, 1):
        segments = [b64(header), b64(payload)]
        last = segments[index][-1]
        segments[index] = segments[index][:-1] + ALPHABET[ALPHABET.index(last) + 1]
        signing_input = ".".join(segments)
        assert_refused(f"{signing_input}.{b64(raw_signature(signing_input))}")


@pytest.mark.parametrize("noise", ["=", "==", "===", " ", "\n", "\t", "\r\n", "\0", "!", "*", "ក", "\ufeff", "\ud800"])
def test_padding_white_space_and_strange_characters_are_refused_anywhere(noise: str) -> None:
    places = [
        0,
        5,
        len(HEADER_SEGMENT),
        len(HEADER_SEGMENT) + 1,
        len(VALID_INPUT),
        len(VALID) - 3,
        len(VALID),
    ]
    for place in places:
        assert_refused(VALID[:place] + noise + VALID[place:])
    # Signed as well, where the signature covers them.
    for segments in ((HEADER_SEGMENT + noise, PAYLOAD), (HEADER_SEGMENT, PAYLOAD + noise)):
        signing_input = ".".join(segments)
        if noise != "\ud800":
            assert_refused(f"{signing_input}.{b64(raw_signature(signing_input))}")


def test_the_other_base64_alphabet_is_refused() -> None:
    tokens = (TOKENS.issue(SUBJECT, SESSION, NOW)[0] for _ in range(1000))
    token = next(token for token in tokens if {"-", "_"} <= set(token))
    assert TOKENS.read(token, NOW).subject == SUBJECT
    assert_refused(token.replace("-", "+"))
    assert_refused(token.replace("_", "/"))


def test_a_signature_in_der_or_of_another_length_is_refused() -> None:
    der = NEWEST.private.sign(VALID_INPUT.encode(), ec.ECDSA(hashes.SHA256()))
    raw = raw_signature(VALID_INPUT)
    for signature in (
        der,
        raw[:63],
        raw + b"\0",
        b"\0" + raw,
        raw + raw,
        raw[32:] + raw[:32],
        b"\0" * 64,
        b"\xff" * 64,
    ):
        assert_refused(f"{VALID_INPUT}.{b64(signature)}")


WRONG_SHAPES = {
    "empty": "",
    "one dot": ".",
    "two dots": "..",
    "three dots": "...",
    "letters": "a.b.c",
    "no header": f".{PAYLOAD}.{SIGNATURE}",
    "no payload": f"{HEADER_SEGMENT}..{SIGNATURE}",
    "dot after": f"{VALID}.",
    "dot before": f".{VALID}",
    "two signatures": f"{VALID}.{SIGNATURE}",
    "five parts": f"{VALID}..",
    "like a JWE": f"{HEADER_SEGMENT}.AA.AA.{PAYLOAD}.{SIGNATURE}",
    "scheme": f"Bearer {VALID}",
    "JSON": json.dumps({"protected": HEADER_SEGMENT, "payload": PAYLOAD, "signature": SIGNATURE}),
}


@pytest.mark.parametrize("shape", WRONG_SHAPES)
def test_a_text_that_is_not_three_segments_is_refused(shape: str) -> None:
    assert_refused(WRONG_SHAPES[shape])


def test_what_is_no_text_at_all_is_refused() -> None:
    for token in (
        None,
        VALID.encode(),
        bytearray(VALID.encode()),
        0,
        1.5,
        True,
        [VALID],
        {VALID: VALID},
        object(),
    ):
        assert_refused(token)


# Anything


@settings(deadline=None)
@given(st.text(max_size=2100) | st.from_regex(r"\A[A-Za-z0-9_=-]{0,80}(\.[A-Za-z0-9_=-]{0,80}){0,5}\Z"))
def test_random_text_is_refused(token: str) -> None:
    assert_refused(token)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=400), max_size=6))
def test_random_bytes_in_segments_are_refused(segments: list[bytes]) -> None:
    assert_refused(".".join(b64(segment) for segment in segments))


@settings(deadline=None)
@given(st.integers(0, len(VALID) - 1), st.integers(0, 7))
def test_a_valid_token_with_one_bit_flipped_is_refused(place: int, bit: int) -> None:
    flipped = chr(ord(VALID[place]) ^ (1 << bit))
    assert_refused(VALID[:place] + flipped + VALID[place + 1 :])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(CLAIMS)), JSON_VALUES)
def test_a_signed_token_with_any_other_value_of_a_claim_is_refused(name: str, value: Any) -> None:
    harmless = name == "nbf" and type(value) is int and value <= IAT + 30
    harmless = harmless or (name in TIMES and type(value) is int and IAT - 10**4 < value < IAT + 10**4)
    if not harmless:
        assert_refused(forge({name: value}))


# The library


def test_the_ecdsa_package_is_never_imported(tmp_path: Path) -> None:
    program = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from app import keys, tokens
keys.ensure(Path(sys.argv[1]))
access = tokens.AccessTokens(keys.KeyStore.load(Path(sys.argv[1])), "i", "a")
now = datetime.now(UTC)
access.read(access.issue(uuid4(), uuid4(), now)[0], now)
try:
    access.read("a.b.c", now)
except tokens.InvalidToken:
    print(sorted({name.partition(".")[0] for name in sys.modules} & {"ecdsa", "rsa", "pyasn1", "jose"}))
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path / "keys")],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "['jose']\n", "")
