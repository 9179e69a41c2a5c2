"""One data key: seals the private fields of a row as one blob that can be opened only in its own place."""

import json
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.sealing.key_encryption import KEY_BYTES, NONCE_BYTES, SealBroken

VERSION = b"\x01"
_HEAD = len(VERSION) + NONCE_BYTES


class DataKey:
    """AES-256-GCM under the key of one home; the associated data are table, row and home, so no blob can move."""

    def __init__(self, key: bytes, home: UUID) -> None:
        self._cipher, self._home = AESGCM(key), home

    def seal(self, table: str, row_id: UUID, document: Mapping[str, Any]) -> bytes:
        """The document as one blob: version, nonce, ciphertext."""
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        return self.seal_text(table, row_id, text)

    def seal_text(self, table: str, row_id: UUID, text: bytes) -> bytes:
        """The same for bytes: a document that is JSON already, or a part of a file."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, text, self._place(table, row_id))

    def open(self, table: str, row_id: UUID, sealed: bytes) -> dict[str, Any]:
        """The document again; raises SealBroken when the blob was altered or is not of this row."""
        document: dict[str, Any] = json.loads(self.open_text(table, row_id, sealed))
        return document

    def open_text(self, table: str, row_id: UUID, sealed: bytes) -> bytes:
        """The same for what `seal_text` sealed."""
        if sealed[:1] != VERSION:
            raise SealBroken
        try:
            return self._cipher.decrypt(sealed[1:_HEAD], sealed[_HEAD:], self._place(table, row_id))
        except (InvalidTag, ValueError):
            raise SealBroken from None

    def _place(self, table: str, row_id: UUID) -> bytes:
        return VERSION + table.encode() + row_id.bytes + self._home.bytes


def new_key() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


@lru_cache(maxsize=20_000)
def data_key(key: bytes, home: UUID) -> DataKey:
    """The data key, made once: setting up the cipher takes as long as a small blob."""
    return DataKey(key, home)
