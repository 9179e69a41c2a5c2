"""What an admin asks to be done with an account, and who must say yes before it is."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, Index, String, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Read, coded
from app.models.case import Colleague
from app.models.codes.people import Role, UserRequestKind


class UserRequest(SQLModel, table=True):
    """One request about one user; a user has at most one that is open.

    `awaiting` names who has yet to confirm: ids of organisations, "signatories", "administration" (app/policy.py).
    Settled with nothing left to await: done. Settled otherwise: withdrawn or replaced.
    """

    __tablename__ = "user_requests"
    __table_args__ = (Index("user_requests_open", "user_id", unique=True, postgresql_where=text("settled_at IS NULL")),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", index=True)
    kind: UserRequestKind = Field(sa_type=coded(UserRequestKind))
    wanted: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    awaiting: list[str] = Field(sa_column=Column(ARRAY(String()), nullable=False))
    requested_by: UUID = Field(foreign_key="users.id")
    created_at: datetime = Field(sa_type=TIMESTAMP)
    confirmed_by: list[UUID] = Field(default_factory=list, sa_column=Column(ARRAY(Uuid()), nullable=False))
    settled_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class Wanted(Read):
    """What a request would make of the account; what is null stays as it is.

    `details`: which of names_km, names_en, phones and relations would lose something; not what.
    """

    role: Role | None = None
    organisation_id: UUID | None = None
    communes: list[str] | None = None
    active: bool | None = None
    details: list[str] | None = None


class RequestRead(Read):
    """A request as it stands. `confirmed` is false for one that is open, was withdrawn, or was replaced."""

    id: UUID
    kind: UserRequestKind
    wanted: Wanted
    requested_by: UUID
    requested_at: datetime
    settled_at: datetime | None
    confirmed: bool


class Notice(RequestRead):
    """The same for those whom it concerns; `may_confirm` when the reader is asked to."""

    user: Colleague
    username: str
    may_confirm: bool


class Confirmed(Notice):
    """The answer to who confirmed; only it ever holds the password of a new account or after a reset."""

    initial_password: str | None = None
