"""Screening: what users are called and whom they are related to, what met perpetrators, and the answer to it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Column, ForeignKeyConstraint, Index, String, text
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Body, Read, coded
from app.models.case import Colleague
from app.models.codes.walls import ScreeningAnswer, ScreeningKind, ScreeningStatus
from app.text import ShortText


class UserPrivate(SQLModel, table=True):
    """`sealed` holds a UserDetails with the earlier display names; `wanted` one that waits for a confirmation.

    Sealed as the secrets of second factors are (app/sealed_secret.py): a user belongs to no case and no register.
    """

    __tablename__ = "user_private"

    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    sealed: bytes
    wanted: bytes | None = None


class UserToken(SQLModel, table=True):
    """What a user is found by; `wanted` ones wait for a confirmation and find nothing."""

    __tablename__ = "user_tokens"
    __table_args__ = (Index("ix_user_tokens_token", "token", postgresql_where=text("NOT wanted")),)

    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    kind: ScreeningKind = Field(sa_column=Column(coded(ScreeningKind), primary_key=True))
    token: int = Field(sa_column=Column(BigInteger(), primary_key=True, autoincrement=False))
    wanted: bool = Field(default=False, primary_key=True, sa_column_kwargs={"server_default": text("false")})


class ScreeningToken(SQLModel, table=True):
    """What the perpetrators of one incident are found by: names and phones. Of a case that came by a transfer they came
    along without the incident, and bear the id of the case in its place."""

    __tablename__ = "screening_tokens"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_screening_tokens_token", "token"),
        Index("ix_screening_tokens_case", "case_id"),
    )

    incident_id: UUID = Field(primary_key=True)
    token: int = Field(sa_column=Column(BigInteger(), primary_key=True, autoincrement=False))
    case_id: UUID
    organisation_id: UUID


class ScreeningMatch(SQLModel, table=True):
    """A user who may be a perpetrator of the case, or a relative of one. While it is open, and once it is confirmed,
    exclusions with this id as their `origin_id` keep the user away from every case of the client.

    `evidence`: each `kind:token` that met, so that what was answered does not come back. `led`: it took the lead away.
    """

    __tablename__ = "screening_matches"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("one_open_match", "case_id", "user_id", unique=True, postgresql_where=text("status = 'open'")),
        Index("ix_screening_matches_case", "case_id", "user_id"),
        Index("ix_screening_matches_newest", "organisation_id", text("found_at DESC"), text("id DESC")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID
    organisation_id: UUID
    user_id: UUID = Field(foreign_key="users.id")
    evidence: list[str] = Field(sa_column=Column(ARRAY(String()), nullable=False))
    led: bool
    status: ScreeningStatus = Field(sa_type=coded(ScreeningStatus))
    found_at: datetime = Field(sa_type=TIMESTAMP)
    answered_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    answered_by: UUID | None = Field(default=None, foreign_key="users.id")
    sealed: bytes | None = None


class MatchAnswer(Body):
    answer: ScreeningAnswer
    reason: ShortText


class MatchRead(Read):
    """`kinds` says what met: the user's own name or phone, or the name of a relative; never the name itself."""

    id: UUID
    case_id: UUID
    case_code: str
    user: Colleague
    user_id: UUID
    kinds: list[ScreeningKind]
    status: ScreeningStatus
    found_at: datetime
    answered_at: datetime | None
    answered_by: Colleague | None
    reason: str | None
