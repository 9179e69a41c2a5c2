"""What happened to the client, as data: when, how precisely known, where, and the six questions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field

from app.models.base import TIMESTAMP, Body, Moment, Patch, Read, Table, coded, optional
from app.models.codes.incidents import DatePrecision, GbvContext, GbvType, IncidentPlace, PerpetratorRelationship
from app.text import LongText, NameText, PhoneNumber


class GbvAnswers(Body):
    """The six questions of the GBV classification, in its order."""

    penetration: bool | None = None
    sexual_contact: bool | None = None
    physical: bool | None = None
    forced_marriage: bool | None = None
    denial: bool | None = None
    psychological: bool | None = None


class Perpetrator(Body):
    """Used for screening only; never a row of people."""

    names: Annotated[list[NameText], Rule(max_length=10)] = []
    phones: Annotated[list[PhoneNumber], Rule(max_length=10)] = []
    relationship: PerpetratorRelationship = PerpetratorRelationship.UNKNOWN


class Incident(Table, table=True):
    __tablename__ = "incidents"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_incidents_case", "case_id", "created_at"),
    )

    case_id: UUID
    organisation_id: UUID
    occurred_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    precision: DatePrecision = Field(sa_type=coded(DatePrecision))
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class IncidentPrivate(Body):
    place: IncidentPlace = IncidentPlace.UNKNOWN
    answers: GbvAnswers = GbvAnswers()
    perpetrators: Annotated[list[Perpetrator], Rule(max_length=10)] = []
    perpetrator_relationship: PerpetratorRelationship = PerpetratorRelationship.UNKNOWN
    note: LongText | None = None


class IncidentCreate(IncidentPrivate):
    occurred_at: Moment | None = None
    precision: DatePrecision = DatePrecision.UNKNOWN


class IncidentUpdate(Patch):
    occurred_at: Moment | None = None
    precision: DatePrecision = optional()
    place: IncidentPlace = optional()
    answers: GbvAnswers = optional()
    perpetrators: Annotated[list[Perpetrator], Rule(max_length=10)] = optional()
    perpetrator_relationship: PerpetratorRelationship = optional()
    note: LongText | None = None


class IncidentRead(Read):
    """What was told, and what follows: the type, its contexts, her age then, and the hours in which care can still
    prevent infection (`pep_hours_left`) or pregnancy (`ec_hours_left`), null where there is no such window.

    Who did it is never told again, only how many were named: it is there for the screening, and a change that sends
    `perpetrators` replaces all of them."""

    id: UUID
    case_id: UUID
    occurred_at: datetime | None
    precision: DatePrecision
    place: IncidentPlace
    answers: GbvAnswers
    perpetrators_count: int
    perpetrator_relationship: PerpetratorRelationship
    note: str | None
    type: GbvType | None
    contexts: list[GbvContext]
    age: int | None
    pep_hours_left: float | None
    ec_hours_left: float | None
    version: int
    created_at: datetime
    updated_at: datetime
