"""A small secret at rest (AES-256-GCM), bound to the table and the row that it belongs to."""

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.keys import KeyStore

NONCE_BYTES = 12
FORMAT = b"\x01"  # so that another way of sealing can be told apart one day


class UnreadableSecret(Exception):  # noqa: N818 - a state of the row
    """The sealed bytes are not ours, were changed, or belong to another row."""


class SecretSeal:
    """Seals and opens the secrets of one table under the key of one purpose."""

    def __init__(self, keys: KeyStore, purpose: str, table: str) -> None:
        self._cipher = AESGCM(keys.secret(purpose))
        self._table = table

    def seal(self, secret: bytes, row_id: UUID) -> bytes:
        """Format byte, nonce of 12 bytes, ciphertext with its tag of 16; never twice alike."""
        nonce = os.urandom(NONCE_BYTES)
        return FORMAT + nonce + self._cipher.encrypt(nonce, secret, self._place(row_id))

    def open(self, sealed: bytes, row_id: UUID) -> bytes:
        """The secret that `seal` was given for this row; raises UnreadableSecret for anything else."""
        nonce, content = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if sealed[:1] != FORMAT or len(nonce) != NONCE_BYTES:
            raise UnreadableSecret
        try:
            return self._cipher.decrypt(nonce, content, self._place(row_id))
        except InvalidTag:
            raise UnreadableSecret from None

    def _place(self, row_id: UUID) -> bytes:
        return self._table.encode() + b"\0" + row_id.bytes
