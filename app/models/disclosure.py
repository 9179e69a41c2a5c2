"""What was told outside about a client, for her life or because the law asks: recorded by two people."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from app.models.base import TIMESTAMP, Body, Moment, Read, Table, coded
from app.models.case import Colleague
from app.models.codes.consents import DisclosureBasis
from app.text import LongText, ShortText


class Disclosure(Table, table=True):
    """A record and no channel: nothing is sent by it. Sealed are who was told and what."""

    __tablename__ = "disclosures"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_disclosures_case", "case_id", "created_at"),
        Index("ix_disclosures_waiting", "organisation_id", "case_id", postgresql_where=text("confirmed_by IS NULL")),
    )

    case_id: UUID
    organisation_id: UUID
    basis: DisclosureBasis = Field(sa_type=coded(DisclosureBasis))
    disclosed_at: datetime = Field(sa_type=TIMESTAMP)
    confirmed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    confirmed_by: UUID | None = Field(default=None, foreign_key="users.id")
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class DisclosureCreate(Body):
    """`recipient`: whom it was told, office and person; `what`: what was told, and no more than that."""

    basis: DisclosureBasis
    recipient: ShortText
    what: LongText
    disclosed_at: Moment


class DisclosureRead(Read):
    """`confirmed_by` null: a second person has not yet said that it was so."""

    id: UUID
    case_id: UUID
    basis: DisclosureBasis
    recipient: str
    what: str
    disclosed_at: datetime
    recorded_by: Colleague
    confirmed_by: Colleague | None
    confirmed_at: datetime | None
    version: int
    created_at: datetime
