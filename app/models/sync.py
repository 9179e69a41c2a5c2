"""What a device that was away pulls, and what it pushes: changes with ids of its own."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.models.action import ActionRead
from app.models.base import Body, Read
from app.models.case import CaseLiaisonRead, CaseRead
from app.models.follow_up import FollowUpRead
from app.models.note import NoteRead

MOST_ITEMS = 200


class SyncType(StrEnum):
    """What travels. Whereabouts, health and attachments never do."""

    CASE = "case"
    NOTE = "note"
    FOLLOW_UP = "follow_up"
    ACTION = "action"
    HOME_VISIT = "home_visit"  # only pushed


class SyncOp(StrEnum):
    """`transition`: a step of a case, the record of a follow-up, the end of an action."""

    CREATE = "create"
    UPDATE = "update"
    TRANSITION = "transition"


class SyncQuery(Body):
    """`cursor`: the last `next_cursor`, of whichever run; without it everything is sent."""

    limit: Annotated[int, Field(ge=1, le=MOST_ITEMS)] = MOST_ITEMS
    cursor: Annotated[str, Field(max_length=300)] | None = None


class SyncChange(Read):
    """A thing as the caller may read it now. What comes twice is the same: keep the one with the later version."""

    type: SyncType
    id: UUID
    version: int
    data: CaseRead | CaseLiaisonRead | NoteRead | FollowUpRead | ActionRead


class SyncPage(Read):
    """`visible_case_ids` comes with the last page of a run: delete every other case, with all that hangs on it."""

    changes: list[SyncChange]
    next_cursor: str
    has_more: bool
    visible_case_ids: list[UUID] | None


class SyncItem(Body):
    """One change. `data` is the body of the operation of the same name, with `case_id` beside for what
    belongs to a case."""

    op: SyncOp
    type: SyncType
    id: UUID
    if_match: Annotated[str, Field(max_length=200, pattern="^[ -~]*$")] | None = None
    idempotency_key: Annotated[str, Field(min_length=1, max_length=200, pattern="^[ -~]*$")]
    data: dict[str, Any]


class SyncPush(Body):
    items: Annotated[list[SyncItem], Field(max_length=MOST_ITEMS)]


class SyncResult(Read):
    """The answer to one item: `id` is the row's, which is another one when the id that was sent is not free.

    `code`, `errors` and what a problem says beside them (`cause`, `allowed`, `blocked_by`, `missing`) as in a problem.
    `current` is the thing as it stands, when the change was made on an older one; the case, when it has been closed
    meanwhile.
    """

    id: UUID
    status: int
    version: int | None = None
    code: str | None = None
    cause: str | None = None
    errors: list[dict[str, str]] | None = None
    allowed: list[str] | None = None
    blocked_by: list[str] | None = None
    missing: list[str] | None = None
    current: dict[str, Any] | None = None


class SyncResults(Read):
    """One result for each item, in their order."""

    results: list[SyncResult]
