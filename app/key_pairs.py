"""Key pairs that sign: access tokens, the heads of the trail, and anonymised exports."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True)
class TokenKey:
    """One ES256 key pair; `kid` is its RFC 7638 thumbprint (43 characters)."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)

    @cached_property
    def kid(self) -> str:
        return thumbprint(self._point)

    @property
    def jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key (RFC 7517)."""
        return {**self._point, "kid": self.kid, "use": "sig", "alg": "ES256"}

    @property
    def _point(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        x, y = (_base64url(coordinate.to_bytes(32, "big")) for coordinate in (numbers.x, numbers.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


@dataclass(frozen=True)
class AuditKey:
    """One Ed25519 key pair that signs the heads of the trail; `key_id` is a hash of its public half, 16 hex digits."""

    private: Ed25519PrivateKey = field(repr=False)

    @cached_property
    def key_id(self) -> str:
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return hashlib.sha256(public).hexdigest()[:16]


@dataclass(frozen=True)
class ExportKey:
    """One Ed25519 key pair that signs the manifests of exports; `kid` is its RFC 7638 thumbprint (43 characters)."""

    private: Ed25519PrivateKey = field(repr=False)

    @cached_property
    def kid(self) -> str:
        return thumbprint(self._point)

    @property
    def jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key (RFC 8037, section 2)."""
        return {**self._point, "kid": self.kid, "use": "sig", "alg": "EdDSA"}

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`, 64 bytes; the same data have the same signature (RFC 8032)."""
        return self.private.sign(data)

    @property
    def _point(self) -> dict[str, str]:
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public)}


def thumbprint(required: dict[str, str]) -> str:
    """RFC 7638, section 3: of the required members only, in lexicographic order, without white space."""
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
