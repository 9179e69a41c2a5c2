"""Papers and photographs of a case: sealed in chunks, each attachment with a key of its own."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.base import Read, Table, coded
from app.models.case import Colleague


class MediaType(StrEnum):
    """What may be attached; what a file is follows from its content alone."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    PDF = "application/pdf"
    TEXT = "text/plain"


class Attachment(Table, table=True):
    """One file; its name is sealed here and its content in `attachment_chunks`, size (bytes) and type are in clear."""

    __tablename__ = "attachments"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        UniqueConstraint("id", "case_id", "organisation_id", name="uq_attachments_case"),
        Index("ix_attachments_case", "case_id", "created_at"),
    )
    own_key: ClassVar[bool] = True

    case_id: UUID
    organisation_id: UUID
    media_type: MediaType = Field(sa_type=coded(MediaType))
    size: int
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class AttachmentChunk(SQLModel, table=True):
    """One part of a file's content, sealed for its place in it: 256 KiB each, the last one shorter."""

    __tablename__ = "attachment_chunks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["attachment_id", "case_id", "organisation_id"],
            ["attachments.id", "attachments.case_id", "attachments.organisation_id"],
            ondelete="CASCADE",
        ),
        Index("ix_attachment_chunks_case", "case_id"),
    )

    attachment_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    case_id: UUID
    organisation_id: UUID
    content: bytes


class AttachmentRead(Read):
    """What is known of a file without opening it. `size` in bytes, of what is kept: photographs are written anew."""

    id: UUID
    case_id: UUID
    name: str
    media_type: MediaType
    size: int
    added_by: Colleague
    version: int
    created_at: datetime
    updated_at: datetime
