"""Notes on a case, for its caseworkers only or for the whole team with the liaisons."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from app.models.base import OwnId, Read, Table, coded
from app.models.case import Colleague
from app.models.codes.cases import NoteAudience
from app.text import LongText


class Note(Table, table=True):
    __tablename__ = "notes"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_notes_case", "case_id", text("created_at DESC"), text("id DESC")),
    )

    case_id: UUID
    organisation_id: UUID
    audience: NoteAudience = Field(sa_type=coded(NoteAudience))
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class NoteCreate(OwnId):
    text: LongText
    audience: NoteAudience | None = None  # caseworkers, or team when a liaison writes


class NoteRead(Read):
    id: UUID
    case_id: UUID
    text: str
    audience: NoteAudience
    author: Colleague
    created_at: datetime
