"""People and partner systems that sign in, their credentials, sessions and refresh tokens."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.area import CommuneCode
from app.models.base import TIMESTAMP, Body, Patch, Read, Table, coded, optional
from app.models.codes.people import Language, Role
from app.models.organisation import principal
from app.models.user_request import RequestRead
from app.text import NameText, PhoneNumber

Username = Annotated[str, Rule(pattern=r"^[a-z][a-z0-9_.-]{2,39}$")]
Communes = Annotated[list[CommuneCode], Rule(max_length=100)]
Names = Annotated[list[NameText], Rule(max_length=20)]
Phones = Annotated[list[PhoneNumber], Rule(max_length=20)]
Relations = Annotated[list[NameText], Rule(max_length=100)]
# What somebody types to sign in is never cleaned; NUL is all that the database could not even compare.
TypedName = Annotated[str, Rule(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
TypedSecret = Annotated[str, Rule(min_length=1, max_length=1024)]
TypedOtp = Annotated[str, Rule(min_length=1, max_length=20)]


class User(Table, table=True):
    __tablename__ = "users"
    __table_args__ = (CheckConstraint("system = (scopes is not null)", name="ck_users_scopes"),)

    username: str = Field(unique=True)
    display_name: str
    role: Role = Field(sa_type=coded(Role))
    organisation_id: UUID | None = Field(default=None, foreign_key="organisations.id", index=True)
    communes: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(String()), nullable=False, server_default="{}")
    )
    language: Language = Field(default=Language.KM, sa_type=coded(Language))
    active: bool = True
    system: bool = False  # a partner's system (client credentials), never a person
    scopes: list[str] | None = Field(default=None, sa_column=Column(ARRAY(String()), nullable=True))  # systems alone
    # A system: when a person of its organisation said yes. Of persons it is user_requests that knows.
    confirmed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    # A system: who said so, and holds its secret. What is kept from this person is kept from the system.
    keeper_id: UUID | None = Field(default=None, foreign_key="users.id")
    principal: UUID

    @classmethod
    def named(cls, now: datetime, **fields: Any) -> "User":
        """A new row with its principal."""
        own_id = fields.setdefault("id", new_id())
        return cls(created_at=now, updated_at=now, principal=principal("user", own_id), **fields)


class UserCredential(SQLModel, table=True):
    """What proves who a user is, apart from the row that colleagues may read."""

    __tablename__ = "user_credentials"

    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    password_hash: str
    changed_at: datetime = Field(sa_type=TIMESTAMP)
    # Known to somebody else (whoever confirmed a new account or a reset): good for nothing but choosing another.
    must_change: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    # The second factor was reset: the account wants a new one, whatever its role.
    mfa_due: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class UserTotp(SQLModel, table=True):
    """A second factor (RFC 6238). It counts from `confirmed_at`; `last_step` and what is older was used up."""

    __tablename__ = "user_totp"

    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    secret: bytes  # sealed: app/sealed_secret.py
    created_at: datetime = Field(sa_type=TIMESTAMP)
    confirmed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    last_step: int = Field(default=0, sa_type=BigInteger)


class SignInSession(SQLModel, table=True):
    """One sign-in on one device; ending it ends every token of it at once."""

    __tablename__ = "sessions"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", index=True)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    expires_at: datetime = Field(sa_type=TIMESTAMP)
    # When the factors were last proved; null: at the sign-in itself.
    proved_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    ended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    end_reason: str | None = None


class RefreshToken(SQLModel, table=True):
    """A refresh token by its keyed hash; a used one that comes back ends the session."""

    __tablename__ = "refresh_tokens"

    digest: bytes = Field(primary_key=True)
    session_id: UUID = Field(foreign_key="sessions.id", index=True)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    expires_at: datetime = Field(sa_type=TIMESTAMP)
    used_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class SignInAttempt(SQLModel, table=True):
    """One sign-in under way or failed; a success takes its row away again."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        Index("ix_sign_in_attempts_account", "account", "address", "at"),
        Index("ix_sign_in_attempts_address", "address", "at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account: bytes  # keyed hash of the name as typed: a password typed there by mistake is not kept
    address: str
    at: datetime = Field(sa_type=TIMESTAMP)


class UserDetails(Body):
    """For screening only: other names and phones of the person, and the names of close relatives."""

    names_km: Names = Rule(default_factory=list)
    names_en: Names = Rule(default_factory=list)
    phones: Phones = Rule(default_factory=list)
    relations: Relations = Rule(default_factory=list)


class UserCreate(UserDetails):
    username: Username
    display_name: NameText
    role: Role
    organisation_id: UUID | None = None
    communes: Communes = Rule(default_factory=list)
    language: Language = Language.KM


class UserUpdate(Patch):
    display_name: NameText = optional()
    role: Role = optional()
    organisation_id: UUID | None = None
    communes: Communes = optional()
    language: Language = optional()
    active: bool = optional()
    names_km: Names = optional()
    names_en: Names = optional()
    phones: Phones = optional()
    relations: Relations = optional()


class UserRead(Read):
    id: UUID
    username: str
    display_name: str
    role: Role
    organisation_id: UUID | None
    communes: list[str]
    language: Language
    active: bool
    version: int
    created_at: datetime
    updated_at: datetime
    pending: RequestRead | None = None


class UserDetailsRead(Read):
    """What is kept of the reader for screening; `earlier_names` are display names that were borne before."""

    names_km: list[str]
    names_en: list[str]
    phones: list[str]
    relations: list[str]
    earlier_names: list[str]


class StaffRead(Read):
    """A colleague who may be assigned or excluded."""

    id: UUID
    display_name: str
    role: Role
    organisation_id: UUID | None
    communes: list[str]


class PasswordGrant(Body):
    """A person signs in."""

    grant_type: Literal["password"]
    username: TypedName
    password: TypedSecret
    otp: TypedOtp | None = None


class RefreshGrant(Body):
    """A session goes on."""

    grant_type: Literal["refresh_token"]
    refresh_token: TypedSecret


class ClientGrant(Body):
    """A partner's system signs in."""

    grant_type: Literal["client_credentials"]
    client_id: TypedName
    client_secret: TypedSecret


class Me(Read):
    id: UUID
    username: str
    display_name: str
    role: Role
    organisation_id: UUID | None
    communes: list[str]
    permissions: list[str]
    mfa_enrolled: bool
    language: Language


class TokenRead(Read):
    """Answer of the token endpoint (RFC 6749 section 5.1); `expires_in` in seconds, `scope` of a system."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 (the type's name in the standard)
    expires_in: int
    refresh_token: str | None = None
    scope: str | None = None


class KeySet(Read):
    """The public keys of access tokens (RFC 7517)."""

    keys: list[dict[str, str]]
