"""Organisations that sign the information-sharing agreement, and the systems that act for partners."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid5

from pydantic import Field as Rule
from sqlalchemy import BigInteger, Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.ids import new_id
from app.models.area import CommuneCode
from app.models.base import Body, Patch, Read, Table, coded, optional
from app.models.codes.assistance import Currency
from app.models.codes.people import OrganisationKind
from app.text import NameText

# Namespace of the principals of access.md: uuid5(PRINCIPALS, "user:<id>" | "staff:<id>" | "supervisors:<id>").
PRINCIPALS = UUID("6f1c6bb0-6f0f-5d0a-9d3e-53414d414b49")

# What one person alone may approve (app/services/assistance.py) until the organisation's admin says otherwise.
CEILINGS = {Currency.KHR: 800_000, Currency.USD: 20_000}
Ceiling = Annotated[int, Rule(strict=True, ge=0, le=1_000_000_000_000)]  # minor units; 0: never one person alone


# Permissions that a partner's system may hold (app/policy.py, scopes_of_systems).
Scopes = Annotated[list[Annotated[str, Rule(max_length=40)]], Rule(min_length=1, max_length=40)]


Communes = Annotated[list[CommuneCode], Rule(max_length=200)]


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
    assistance_ceiling_khr_minor: int = Field(default=CEILINGS[Currency.KHR], sa_type=BigInteger)
    assistance_ceiling_usd_minor: int = Field(default=CEILINGS[Currency.USD], sa_type=BigInteger)
    # Codes of the communes in which its programme works; none: nowhere in particular.
    programme_communes: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
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
    assistance_ceiling_khr_minor: Ceiling = optional()
    assistance_ceiling_usd_minor: Ceiling = optional()
    programme_communes: Communes = optional()


class OrganisationRead(Read):
    id: UUID
    name: str
    name_km: str
    kind: OrganisationKind
    active: bool
    signatory: bool
    assistance_ceiling_khr_minor: int
    assistance_ceiling_usd_minor: int
    programme_communes: list[str]
    version: int
    created_at: datetime
    updated_at: datetime


class ClientCreate(Body):
    """A partner's system that signs in with client credentials; without `scopes` it may do all that systems may."""

    name: NameText
    scopes: Scopes | None = None


class ClientRead(Read):
    id: UUID
    client_id: str
    name: str
    scopes: list[str]
    active: bool
    confirmed: bool
    created_at: datetime


class ClientSecret(ClientRead):
    """The only answer that ever holds this secret."""

    client_secret: str
