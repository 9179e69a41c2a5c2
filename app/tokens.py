"""Access tokens: short-lived ES256 JWTs, and the only place that touches python-jose."""

import base64
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from jose import jws

# The class itself, not jose.jwk.construct: that silently falls back to the `ecdsa` package with its advisory.
from jose.backends.cryptography_backend import CryptographyECKey

from app.keys import KeyStore

ALGORITHM = "ES256"
# A list: jose tests membership with `in`, and "S2" is in "ES256".
ALGORITHMS = [ALGORITHM]
TYPE = "at+jwt"
LIFETIME = 900  # seconds
CLOCK_SKEW = 30  # seconds that another process's clock may run ahead of ours
MAX_TOKEN = 2048  # characters
MAX_HEADER = 200  # bytes, decoded; what this small cannot nest deep enough to exhaust the parser
HEADER = {"alg", "kid", "typ"}
CLAIMS = {"iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"}


class InvalidToken(Exception):  # noqa: N818 - a state of the token
    """The token is not ours, not whole, or not of this time. Which of them is nobody's business."""


@dataclass(frozen=True)
class Claims:
    """What a valid token says: the user or partner client, the session it belongs to, and its own id."""

    subject: UUID
    session: UUID
    token_id: UUID


class AccessTokens:
    """Issues and reads access tokens of one issuer for one audience."""

    def __init__(self, keys: KeyStore, issuer: str, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience
        newest = keys.token_keys[0]
        self._signing_kid = newest.kid
        self._signing_key = CryptographyECKey(newest.private, ALGORITHM)
        # Built once: a key built for every call costs more than the check of the signature itself.
        self._keys = {key.kid: CryptographyECKey(key.private.public_key(), ALGORITHM) for key in keys.token_keys}
        # The signature of a token is checked once in this process; its times are, at every call.
        self._payload = lru_cache(maxsize=4096)(self._verified_payload)

    def issue(self, subject: UUID, session: UUID, now: datetime) -> tuple[str, int]:
        """A new token and its lifetime in seconds; raises ValueError if `now` has no time zone."""
        issued = int(_seconds(now))
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(subject),
            "sid": str(session),
            "jti": str(uuid4()),
            "iat": issued,
            "nbf": issued,
            "exp": issued + LIFETIME,
        }
        headers = {"kid": self._signing_kid, "typ": TYPE}
        return jws.sign(claims, self._signing_key, headers, ALGORITHM), LIFETIME

    def read(self, token: str, now: datetime, late: timedelta = timedelta(0)) -> Claims:
        """What the token says at the moment `now`; raises InvalidToken, and nothing else, for any input.

        `late`: how long ago it may have run out. It then opens nothing any more, and only tells whose device asks.
        """
        # Any error inside, a RecursionError of the parser too, means no. Raised outside of the handler, the
        # exception keeps no trace of the cause, and so of the token.
        with suppress(Exception):
            return self._claims(self._payload(token), now, late)
        raise InvalidToken

    def _verified_payload(self, token: object) -> bytes:
        if not isinstance(token, str) or len(token) > MAX_TOKEN:
            raise ValueError
        segments = [_canonical(segment) for segment in token.split(".")]
        _require(len(segments) == 3)
        _require(len(segments[0]) <= MAX_HEADER)
        header = _json_object(segments[0])
        _require(header.keys() == HEADER and header["alg"] == ALGORITHM and header["typ"] == TYPE)
        return jws.verify(token, self._keys[header["kid"]], ALGORITHMS)

    def _claims(self, payload: bytes, now: datetime, late: timedelta) -> Claims:
        # jose's own checks of claims are not used: they read the machine's clock, take int("9"), accept
        # exp in any distance, and pass over a claim that is missing.
        claims = _json_object(payload)
        _require(claims.keys() == CLAIMS)
        _require(claims["iss"] == self._issuer and claims["aud"] == self._audience)
        issued, not_before, expires = (_whole(claims[name]) for name in ("iat", "nbf", "exp"))
        seconds = _seconds(now)
        _require(max(issued, not_before) <= seconds + CLOCK_SKEW)
        _require(seconds < expires + late.total_seconds())
        _require(expires - issued <= LIFETIME)
        return Claims(_uuid(claims["sub"]), _uuid(claims["sid"]), _uuid(claims["jti"]))


def _require(true: bool) -> None:
    if not true:
        raise ValueError


def _canonical(segment: str) -> bytes:
    """Decode base64url in its one canonical spelling; the standard decoder takes sixteen, and skips noise."""
    data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    _require(base64.urlsafe_b64encode(data).rstrip(b"=").decode() == segment)
    return data


def _json_object(data: bytes) -> dict[str, Any]:
    """Parse one JSON object in UTF-8, in which no name may occur twice: two readers would see two tokens."""
    parsed = json.loads(data.decode(), object_pairs_hook=_unique)
    if not isinstance(parsed, dict):
        raise ValueError
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    _require(len(members) == len(pairs))
    return members


def _whole(value: object) -> int:
    if type(value) is not int:  # isinstance would let True through
        raise ValueError
    return value


def _uuid(value: str) -> UUID:
    parsed = UUID(value)
    _require(str(parsed) == value)  # one spelling only: UUID() also takes braces, "urn:uuid:" and no hyphens
    return parsed


def _seconds(moment: datetime) -> float:
    _require(moment.utcoffset() is not None)  # without a zone it would be taken for local time
    return moment.timestamp()
