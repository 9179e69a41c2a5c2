"""The keys that wrap data keys, behind one small interface: files now, an environment credential, a KMS some day."""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.keys import KeyStore, UnusableKey
from app.settings import Settings

KEY_BYTES = 32
NONCE_BYTES = 12  # random, 96 bits: NIST SP 800-38D, 8.2.2
MOST_KNOWN = 20_000  # unwrapped data keys in memory


class SealBroken(Exception):  # noqa: N818 - a state of the seal
    """A key or a sealed field cannot be opened: altered, moved to another row, or of another installation."""


class KeyEncryption(Protocol):
    """What wraps data keys. A KMS is one class with these three."""

    @property
    def current(self) -> str:
        """The id of the key that wraps new data keys: 16 hex digits."""

    def wrap(self, data_key: bytes, home: UUID) -> bytes:
        """The data key of `home`, encrypted with the current key and bound to that home."""

    def unwrap(self, kek_id: str, wrapped: bytes, home: UUID) -> bytes:
        """The data key again; raises SealBroken for an unknown key, another home, or an altered wrapping."""


class LocalKeys:
    """Key-encryption keys that this process holds; the first wraps, all unwrap."""

    def __init__(self, keys: Iterable[bytes], keys_dir: Path | None = None) -> None:
        self._keys_dir = keys_dir
        self._hold(keys)
        # Every case of a list has a key of its own, the same at the next request.
        self.unwrap = lru_cache(maxsize=MOST_KNOWN)(self._unwrap)

    @property
    def current(self) -> str:
        """The id of the newest key."""
        return next(iter(self._held))

    @property
    def known(self) -> frozenset[str]:
        """The ids of all keys."""
        return frozenset(self._held)

    def wrap(self, data_key: bytes, home: UUID) -> bytes:
        """Nonce and ciphertext, 60 bytes."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._held[self.current].encrypt(nonce, data_key, home.bytes)

    def _unwrap(self, kek_id: str, wrapped: bytes, home: UUID) -> bytes:
        if kek_id not in self._held:
            self._look_again()
        try:
            return self._held[kek_id].decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], home.bytes)
        except (KeyError, InvalidTag, ValueError):
            raise SealBroken from None

    def _hold(self, keys: Iterable[bytes]) -> None:
        self._held = {kek_id(key): AESGCM(key) for key in keys}

    def _look_again(self) -> None:
        """A key that another process has made meanwhile (`samaki keys rotate`) lies in the directory by now."""
        if self._keys_dir is not None:
            self._hold(KeyStore.load(self._keys_dir).key_encryption_keys)


def kek_id(key: bytes) -> str:
    """What a key is called in the database: it shows whether key and data belong together, and nothing else."""
    return hashlib.sha256(b"samaki/kek/" + key).hexdigest()[:16]


def key_encryption(settings: Settings) -> LocalKeys:
    """The keys of the settings: the credential when there is one, else the files. Raises UnusableKey."""
    if settings.key_encryption_keys is None:
        return LocalKeys(KeyStore.load(settings.keys_dir).key_encryption_keys, settings.keys_dir)
    return LocalKeys([_from_text(text) for text in settings.key_encryption_keys.get_secret_value().split(",")])


def _from_text(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES or len(set(key)) < KEY_BYTES // 2:
        raise UnusableKey("SAMAKI_KEY_ENCRYPTION_KEYS: each is 32 random bytes in base64, the newest first.")
    return key
