"""What is to be done today: one list for the first screen of every front end."""

from datetime import datetime
from uuid import UUID

from app.models.base import Read
from app.models.codes.care import ContactChannel, WorklistKind


class Reason(Read):
    """What may stand on a screen at which others look: it names no violence, no illness and no risk."""

    en: str
    km: str


class WorklistPlace(Read):
    code: str
    name_km: str
    name_en: str | None


class WorklistContact(Read):
    """How she may be reached now, and when next; whether a message may be left."""

    allowed_now: bool
    next_window: datetime | None
    channel: ContactChannel
    leave_message: bool


class WorklistItem(Read):
    """One thing to do. `subject_id`: the follow-up, incident, consent or other record that it is about.

    Of a case that the reader knows only as a stub there is its code, and `due_week` in place of `due_at`; `alias`,
    `place` and `contact` are null; of a transfer that waits for an answer, its own code alone. `contact` is also
    null where nobody is to be contacted.
    """

    kind: WorklistKind
    reason: Reason
    due_at: datetime | None
    due_week: str | None
    overdue: bool
    case_id: UUID | None
    case_code: str
    alias: str | None
    place: WorklistPlace | None
    contact: WorklistContact | None
    subject_id: UUID | None


class Worklist(Read):
    """Most urgent first, 200 at most; `more`: there are others behind them."""

    items: list[WorklistItem]
    more: bool
