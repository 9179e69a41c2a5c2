"""Messages as Standard Webhooks has them: a thin body, an id that is the event's, and a signature per valid secret."""

import base64
import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from standardwebhooks import Webhook

from app.keys import KeyStore
from app.sealed_secret import SecretSeal

PREFIX = "whsec_"
SECRET_BYTES = 32
SEALED_AS = "webhook_secrets"  # the name of the seal among what every transaction has at hand


def seal_of(keys: KeyStore) -> SecretSeal:
    """What seals the secrets of webhooks, in the API and in the worker."""
    return SecretSeal(keys, "webhook-secret", "webhooks")


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def body_of(event_type: str, at: datetime, referral_id: UUID, status: str) -> bytes:
    """The thin body: what has moved and to where; who wants to know more asks, and is answered by present rights."""
    content = {"referral_id": str(referral_id), "status": status}
    timestamp = at.isoformat().replace("+00:00", "Z")
    return json.dumps({"type": event_type, "timestamp": timestamp, "data": content}, separators=(",", ":")).encode()


def signed(body: bytes, event_id: UUID, now: datetime, valid: Sequence[str]) -> dict[str, str]:
    """The headers of one attempt at `now` (UTC), with a signature by every secret in `valid`.

    The id is the event's at every attempt, so that a receiver knows what it has had already.
    """
    own_id = str(event_id)
    signatures = (Webhook(secret).sign(own_id, now, body.decode()) for secret in valid)
    return {
        "Content-Type": "application/json",
        "webhook-id": own_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
