"""What stands behind a figure: the ids of its records, and one hash of all of them."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from app.models.report_version import RecordsBehind


def digest_of(ids: Iterable[UUID | str]) -> RecordsBehind:
    """How many they are, and the SHA-256 of the ids in their order, one a line."""
    written = sorted(str(one) for one in ids)
    return RecordsBehind(count=len(written), sha256=hashlib.sha256("\n".join(written).encode()).hexdigest())
