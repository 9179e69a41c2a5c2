"""People and households: each person row has one home, a case or an organisation's register."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from pydantic import model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.area import VillageCode
from app.models.base import TIMESTAMP, Body, Day, Patch, Read, Table, coded, optional, wrong
from app.models.codes.incidents import DatePrecision
from app.models.codes.people import (
    CaregiverDoubt,
    Difficulty,
    IdPoorLevel,
    Language,
    MaritalStatus,
    PersonRole,
    PhoneOwner,
    Sex,
)
from app.text import NameText, PhoneNumber, ShortText


class Phone(Body):
    number: PhoneNumber
    owner: PhoneOwner = PhoneOwner.UNKNOWN
    safe_to_call: bool = False


class Disability(Body):
    """The six questions of the Washington Group's short set."""

    seeing: Difficulty = Difficulty.UNKNOWN
    hearing: Difficulty = Difficulty.UNKNOWN
    walking: Difficulty = Difficulty.UNKNOWN
    remembering: Difficulty = Difficulty.UNKNOWN
    self_care: Difficulty = Difficulty.UNKNOWN
    communicating: Difficulty = Difficulty.UNKNOWN


class PersonPrivate(Body):
    """The private fields of a person: one JSON document per row, read only by who sees the row's home."""

    alias: NameText | None = None
    known_as: NameText | None = None
    family_name_km: NameText | None = None
    given_name_km: NameText | None = None
    family_name_en: NameText | None = None
    given_name_en: NameText | None = None
    birth_date: Day | None = None
    birth_date_precision: DatePrecision = DatePrecision.UNKNOWN
    phones: Annotated[list[Phone], Rule(max_length=10)] = []
    village_code: VillageCode | None = None
    address: ShortText | None = None
    marital_status: MaritalStatus = MaritalStatus.UNKNOWN
    disability: Disability | None = None
    language: Language = Language.KM
    caregiver_doubt: CaregiverDoubt | None = (
        None  # of a caregiver of a case: neither agrees for her nor is a way to her
    )


NAMES = ("alias", "known_as", "family_name_km", "given_name_km", "family_name_en", "given_name_en")


class PersonCreate(PersonPrivate):
    sex: Sex = Sex.UNKNOWN
    household_id: UUID | None = None

    @model_validator(mode="after")
    def has_a_name(self) -> "PersonCreate":
        if not any(getattr(self, name) for name in NAMES):
            raise PydanticCustomError("name_required", "An alias or any one name is needed.")
        if self.caregiver_doubt is not None and getattr(self, "role", None) is not PersonRole.CAREGIVER:
            raise wrong("caregiver_doubt", "not_a_caregiver", "Only of a caregiver of a case this is said.")
        return self


class CasePersonCreate(PersonCreate):
    """A further person of a case; the client comes with the case itself."""

    role: PersonRole = PersonRole.OTHER


class PersonUpdate(Patch):
    alias: NameText | None = None
    known_as: NameText | None = None
    family_name_km: NameText | None = None
    given_name_km: NameText | None = None
    family_name_en: NameText | None = None
    given_name_en: NameText | None = None
    birth_date: Day | None = None
    birth_date_precision: DatePrecision = optional()
    phones: Annotated[list[Phone], Rule(max_length=10)] = optional()
    village_code: VillageCode | None = None
    address: ShortText | None = None
    marital_status: MaritalStatus = optional()
    disability: Disability | None = None
    language: Language = optional()
    caregiver_doubt: CaregiverDoubt | None = None
    sex: Sex = optional()
    household_id: UUID | None = None


class Person(Table, table=True):
    __tablename__ = "people"
    __table_args__ = (
        ForeignKeyConstraint(
            ["case_id", "organisation_id"],
            ["cases.id", "cases.organisation_id"],
            name="people_case_fk",
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_people_register", "organisation_id", "created_at", "id", postgresql_where=text("case_id IS NULL")),
    )

    organisation_id: UUID = Field(foreign_key="organisations.id")
    case_id: UUID | None = Field(default=None, index=True)
    role: PersonRole | None = Field(default=None, sa_type=coded(PersonRole))
    sex: Sex = Field(default=Sex.UNKNOWN, sa_type=coded(Sex))
    household_id: UUID | None = Field(default=None, foreign_key="households.id", index=True)
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class PersonLink(SQLModel, table=True):
    """Two rows that are the same human; seen only by who sees both."""

    __tablename__ = "person_links"
    __table_args__ = (UniqueConstraint("person_id", "other_id", name="person_links_pair"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="people.id")
    other_id: UUID = Field(foreign_key="people.id", index=True)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")


class PersonRead(Read):
    id: UUID
    case_id: UUID | None
    role: PersonRole | None
    alias: str | None
    known_as: str | None
    family_name_km: str | None
    given_name_km: str | None
    family_name_en: str | None
    given_name_en: str | None
    sex: Sex
    birth_date: date | None
    birth_date_precision: DatePrecision
    phones: list[Phone]
    village_code: str | None
    address: str | None
    marital_status: MaritalStatus
    disability: Disability | None
    language: Language
    caregiver_doubt: CaregiverDoubt | None
    household_id: UUID | None
    display_name: str
    age: int | None
    version: int
    created_at: datetime
    updated_at: datetime


class HouseholdPrivate(Body):
    village_code: VillageCode | None = None
    equity_card_number: ShortText | None = None


class HouseholdCreate(HouseholdPrivate):
    id_poor_level: IdPoorLevel = IdPoorLevel.UNKNOWN
    size: Annotated[int, Rule(strict=True, ge=1, le=99)] | None = None


class HouseholdUpdate(Patch):
    village_code: VillageCode | None = None
    equity_card_number: ShortText | None = None
    id_poor_level: IdPoorLevel = optional()
    size: Annotated[int, Rule(strict=True, ge=1, le=99)] | None = None


class Household(Table, table=True):
    __tablename__ = "households"

    organisation_id: UUID = Field(foreign_key="organisations.id", index=True)
    id_poor_level: IdPoorLevel = Field(default=IdPoorLevel.UNKNOWN, sa_type=coded(IdPoorLevel))
    size: int | None = None
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class HouseholdMember(Read):
    id: UUID
    display_name: str
    sex: Sex
    age: int | None


class HouseholdRead(Read):
    id: UUID
    village_code: str | None
    id_poor_level: IdPoorLevel
    equity_card_number: str | None
    size: int | None
    members: list[HouseholdMember]
    version: int
    created_at: datetime
    updated_at: datetime
