"""The secrets of the service, as files: keys that sign tokens, trail and exports, and the root of all keyed hashes."""

import fcntl
import hmac
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization import load_pem_private_key as load_pem

from app.key_pairs import AuditKey, ExportKey, TokenKey

ROOT_FILE = "secret.key"
KEK_FILES = "kek-*.key"
SIGNING_FILES = "token-*.pem"
AUDIT_FILES = "audit-*.pem"
EXPORT_FILES = "export-*.pem"
ROOT_BYTES = 32
# 32 random bytes hold about 30 different values; 15 or fewer happen once in 10^15. Typed ones repeat.
LEAST_DISTINCT_BYTES = 16
RESTORE = "restore it from the keys backup, readable by this account alone"
OTHERS = 0o077  # any right of the group or the world


class UnusableKey(Exception):  # noqa: N818 - a state of the file
    """A key file or directory that cannot be trusted; says where and what to do, never what is inside."""


@dataclass(frozen=True)
class KeyStore:
    """The loaded keys, newest first: `token_keys` (the first signs, all verify), key-encryption keys (the first
    wraps, all unwrap), and the root secret."""

    token_keys: tuple[TokenKey, ...]
    key_encryption_keys: tuple[bytes, ...] = field(repr=False)
    _root: bytes = field(repr=False)

    @classmethod
    def load(cls, keys_dir: Path) -> Self:
        """Read every key file in `keys_dir`; raises UnusableKey at the first that cannot be trusted."""
        _check_directory(keys_dir)
        # Names carry the time of creation. Modification times would not survive a restore.
        paths = sorted(keys_dir.glob(SIGNING_FILES), reverse=True)
        if not paths:
            raise UnusableKey(f"{keys_dir} holds no token-*.pem: restore the keys backup into it.")
        wrapping = sorted(keys_dir.glob(KEK_FILES), reverse=True)
        if not wrapping:
            raise UnusableKey(f"{keys_dir} holds no {KEK_FILES}: restore the keys backup into it.")
        return cls(
            token_keys=tuple(_read_token_key(path) for path in paths),
            key_encryption_keys=tuple(_read_secret(path) for path in wrapping),
            _root=_read_secret(keys_dir / ROOT_FILE),
        )

    def secret(self, purpose: str) -> bytes:
        """32 bytes for one purpose ("refresh-token", "idempotency"); one key tells nothing of another."""
        if not re.fullmatch(r"[a-z][a-z0-9-]*", purpose):
            raise ValueError("a purpose is lower-case letters, digits and hyphens")
        info = b"samaki/" + purpose.encode()
        return HKDF(algorithm=hashes.SHA256(), length=ROOT_BYTES, salt=None, info=info).derive(self._root)

    def digest(self, purpose: str, data: bytes) -> bytes:
        """Keyed hash of `data`, 32 bytes (HMAC-SHA256 with the key of that purpose)."""
        return hmac.digest(self.secret(purpose), data, "sha256")

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public key set that partners read at /.well-known/jwks.json (RFC 7517)."""
        return {"keys": [key.jwk for key in self.token_keys]}


def load_audit_keys(keys_dir: Path) -> tuple[AuditKey, ...]:
    """The keys of the trail, newest first: the first signs, all verify. Raises UnusableKey."""
    return tuple(AuditKey(key) for key in _read_ed25519_keys(keys_dir, AUDIT_FILES, "the trail"))


def load_export_keys(keys_dir: Path) -> tuple[ExportKey, ...]:
    """The keys of the exports, newest first: the first signs, all are published and verify. Raises UnusableKey."""
    return tuple(ExportKey(key) for key in _read_ed25519_keys(keys_dir, EXPORT_FILES, "an export"))


def export_jwks(keys: Sequence[ExportKey]) -> dict[str, list[dict[str, str]]]:
    """The public key set that auditors read at /.well-known/export-keys.json (RFC 7517)."""
    return {"keys": [key.jwk for key in keys]}


def key_encryption_files(keys_dir: Path) -> dict[str, bytes]:
    """The key-encryption keys by the name of their file, newest first. Raises UnusableKey."""
    _check_directory(keys_dir)
    return {path.name: _read_secret(path) for path in sorted(keys_dir.glob(KEK_FILES), reverse=True)}


def ensure(keys_dir: Path) -> None:
    """Create the keys on the first start, and change nothing later; safe beside a second process.

    Raises UnusableKey if the directory cannot be made, or may be read by others.
    """
    try:
        keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_directory(keys_dir)
        with _opened(keys_dir) as directory:
            fcntl.flock(directory, fcntl.LOCK_EX)
            if not any(keys_dir.glob(AUDIT_FILES)):
                # A lost one is replaced: what the old one signed is then reported as signed by nobody known.
                _write_pem(keys_dir, "audit", Ed25519PrivateKey.generate())
            if not any(keys_dir.glob(EXPORT_FILES)):
                # Likewise; the public half of a lost one is in the key sets that auditors have kept.
                _write_pem(keys_dir, "export", Ed25519PrivateKey.generate())
            # The token key is written last. A directory with a token key and no secret has lost the secret;
            # a new one would quietly orphan every hash made with the old, so load() is left to refuse.
            if any(keys_dir.glob(SIGNING_FILES)):
                return
            if not (keys_dir / ROOT_FILE).exists():
                _write(keys_dir / ROOT_FILE, secrets.token_bytes(ROOT_BYTES))
            if not any(keys_dir.glob(KEK_FILES)):
                add_key_encryption_key(keys_dir)
            _write_pem(keys_dir, "token", ec.generate_private_key(ec.SECP256R1()))
        _sync(keys_dir.parent)
    except OSError as error:
        reason = f"{keys_dir} takes no keys ({error.strerror})"
        raise UnusableKey(f"{reason}: make it writable, or choose another data directory.") from None


def add_key_encryption_key(keys_dir: Path) -> None:
    """One more key that wraps data keys, from now on the newest."""
    _write(keys_dir / f"kek-{_stamp()}.key", secrets.token_bytes(ROOT_BYTES))


def _stamp() -> str:
    """The time of creation, which the name of a key carries."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"


def _read_ed25519_keys(keys_dir: Path, files: str, signed: str) -> Iterator[Ed25519PrivateKey]:
    _check_directory(keys_dir)
    paths = sorted(keys_dir.glob(files), reverse=True)
    if not paths:
        raise UnusableKey(f"{keys_dir} holds no {files}: restore the keys backup into it, or start samaki serve.")
    for path in paths:
        key = _read_pem(path)
        if not isinstance(key, Ed25519PrivateKey):
            raise UnusableKey(f"{path} is not an Ed25519 key: {signed} needs one, so replace or remove it.")
        yield key


def _read_pem(path: Path) -> object:
    pem = _read_private(path)
    try:
        return load_pem(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableKey(f"{path} is not an unencrypted PEM private key: {RESTORE}.") from None


def _read_token_key(path: Path) -> TokenKey:
    key = _read_pem(path)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UnusableKey(f"{path} is not a P-256 key: ES256 needs one, so replace or remove it.")
    return TokenKey(key)


def _read_secret(path: Path) -> bytes:
    root = _read_private(path)
    if len(root) != ROOT_BYTES:
        raise UnusableKey(f"{path} must hold exactly {ROOT_BYTES} random bytes: {RESTORE}.")
    if len(set(root)) < LEAST_DISTINCT_BYTES or (root.isascii() and root.decode().isprintable()):
        raise UnusableKey(f"{path} is a placeholder, not random bytes: {RESTORE}.")
    return root


def _read_private(path: Path) -> bytes:
    """The content of a file that only its owner may read."""
    try:
        # Non-blocking, so that a pipe in the place of a key cannot hang the start.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            _refuse_others(path, os.fstat(file.fileno()), "600")
            content = file.read()
    except OSError as error:
        raise UnusableKey(f"{path} cannot be read ({error.strerror}): {RESTORE}.") from None
    if not content:
        raise UnusableKey(f"{path} is empty: {RESTORE}.")
    return content


def _check_directory(keys_dir: Path) -> None:
    try:
        with _opened(keys_dir) as directory:
            status = os.fstat(directory)
    except OSError as error:
        reason = f"{keys_dir} cannot be opened ({error.strerror})"
        raise UnusableKey(f"{reason}: check the data directory or restore its backup.") from None
    _refuse_others(keys_dir, status, "700")


def _refuse_others(path: Path, status: os.stat_result, mode: str) -> None:
    if status.st_mode & OTHERS:
        raise UnusableKey(f"{path} is open to other accounts of this machine: run chmod {mode} on it.")


def _write_pem(keys_dir: Path, kind: str, key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(keys_dir / f"{kind}-{_stamp()}.pem", pem)


def _write(path: Path, content: bytes) -> None:
    """Put `content` at `path` whole or not at all, durably; only the owner may read it."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)  # left by a start that was cut off
    with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    with _opened(directory) as descriptor:
        os.fsync(descriptor)


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
