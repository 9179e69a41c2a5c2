"""Keyset cursors: opaque to the caller, checked on the way back, stable while rows are added."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

from pydantic import Field
from sqlalchemy import Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Invalid
from app.models.base import Body

Row = TypeVar("Row")

Limit = Annotated[int, Field(ge=1, le=200)]
CursorText = Annotated[str, Field(max_length=200)]


class ListQuery(Body):
    """The query of a list without filters."""

    limit: Limit = 50
    cursor: CursorText | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list ordered by a time and an id: the last row that was examined."""

    at: datetime
    id: UUID

    def encode(self) -> str:
        """The text that the caller sends back."""
        return (
            base64.urlsafe_b64encode(f"{self.at.astimezone(UTC).isoformat()}|{self.id}".encode()).decode().rstrip("=")
        )

    @classmethod
    def decode(cls, text: str | None) -> Self | None:
        """The cursor, None for none; 422 for anything that was not made here."""
        if text is None:
            return None
        try:
            at, _, own_id = (
                base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
                .decode("ascii")
                .partition("|")
            )
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is None:
                raise ValueError
            return cls(moment.astimezone(UTC), UUID(own_id))
        except (ValueError, OverflowError, binascii.Error):
            raise Invalid.at("/query/cursor", "cursor_invalid", "The cursor was not made by this list.") from None


def cut(rows: Sequence[Row], limit: int, place: Callable[[Row], Cursor]) -> tuple[Sequence[Row], str | None]:
    """The first `limit` of up to `limit + 1` rows, and the cursor of the next page if there is one."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], place(rows[limit - 1]).encode()


async def newest_first(
    session: AsyncSession, statement: Select[Any], at: Any, own_id: Any, query: ListQuery
) -> tuple[Sequence[Any], str | None]:
    """One page of `statement`, ordered by the columns `at` and `own_id` downwards: its rows and the next cursor."""
    if place := Cursor.decode(query.cursor):
        statement = statement.where(tuple_(at, own_id) < tuple_(place.at, place.id))
    rows = (await session.execute(statement.order_by(at.desc(), own_id.desc()).limit(query.limit + 1))).scalars().all()
    return cut(rows, query.limit, lambda row: Cursor(getattr(row, at.key), row.id))
