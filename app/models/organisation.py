"""Organisations that sign the information-sharing agreement, and the systems that act for partners."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlmodel import Field

from app.ids import new_id
from app.models.base import Body, Patch, Read, Table, coded, optional
from app.models.codes import OrganisationKind
from app.text import NameText

# Namespace of the principals of access.md: uuid5(PRINCIPALS, "user:<id>" | "staff:<id>" | "supervisors:<id>").
PRINCIPALS = UUID("6f1c6bb0-6f0f-5d0a-9d3e-53414d414b49")


def principal(kind: str, owner_id: UUID) -> UUID:
    """The principal under which `case_access` names a user, an organisation's staff or its supervisors."""
    return uuid5(PRINCIPALS, f"{kind}:{owner_id}")


class Organisation(Table, table=True):
    __tablename__ = "organisations"

    name: str
    name_km: str
    kind: OrganisationKind = Field(sa_type=coded(OrganisationKind))
    active: bool = True
    signatory: bool = False
    staff_principal: UUID
    supervisors_principal: UUID

    @classmethod
    def named(cls, now: datetime, **fields: Any) -> "Organisation":
        """A new row with its principals."""
        fields.setdefault("id", new_id())
        own_id = fields["id"]
        return cls(
            created_at=now,
            updated_at=now,
            staff_principal=principal("staff", own_id),
            supervisors_principal=principal("supervisors", own_id),
            **fields,
        )


class OrganisationCreate(Body):
    name: NameText
    name_km: NameText
    kind: OrganisationKind
    signatory: bool = False
    active: bool = True


class OrganisationUpdate(Patch):
    name: NameText = optional()
    name_km: NameText = optional()
    kind: OrganisationKind = optional()
    signatory: bool = optional()
    active: bool = optional()


class OrganisationRead(Read):
    id: UUID
    name: str
    name_km: str
    kind: OrganisationKind
    active: bool
    signatory: bool
    version: int
    created_at: datetime
    updated_at: datetime


class ClientCreate(Body):
    """A partner's system that signs in with client credentials."""

    name: NameText


class ClientRead(Read):
    id: UUID
    client_id: str
    name: str
    active: bool
    created_at: datetime


class ClientSecret(ClientRead):
    """The only answer that ever holds the secret."""

    client_secret: str
