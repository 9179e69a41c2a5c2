"""Finding people: the tokens that are searched, what is asked, and what is shown of who was found."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field as Rule
from pydantic import model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import BigInteger, Column, Index, false, text
from sqlmodel import Field, SQLModel

from app.models.base import Body, Read
from app.models.codes.people import MatchReason, PersonRole, Sex
from app.models.person import PersonCreate


class SearchToken(SQLModel, table=True):
    """One token of one person, with the person's home, by which the row policies decide.

    Written and read by app/services/search_index.py alone. The person's row has the foreign keys of its home.
    """

    __tablename__ = "search_tokens"
    __table_args__ = (
        Index("ix_search_tokens_person", "person_id"),
        Index("ix_search_tokens_case", "case_id", "kind", "token", postgresql_where=text("sensitive")),
    )

    organisation_id: UUID = Field(primary_key=True)
    kind: str = Field(max_length=40, primary_key=True)
    token: int = Field(sa_column=Column(BigInteger(), primary_key=True, autoincrement=False))
    sensitive: bool = Field(  # of a sensitive case; a trigger knows (migrations/sql/085_search_tokens.sql)
        default=False, primary_key=True, sa_column_kwargs={"server_default": false()}
    )
    person_id: UUID = Field(foreign_key="people.id", primary_key=True)
    case_id: UUID | None = None


class PersonSummary(Read):
    """As much of a person as tells them apart."""

    id: UUID
    case_id: UUID | None
    case_code: str | None
    role: PersonRole | None
    display_name: str
    sex: Sex
    age: int | None
    village_code: str | None


class PersonFound(PersonSummary):
    """`score` runs from 0 to 100: how near the name is to what was asked; 100 where no name was."""

    score: Annotated[int, Rule(ge=0, le=100)]


class MatchesWanted(Body):
    """Whose likely duplicates: a person that is recorded, or one who is about to be."""

    person_id: UUID | None = None
    person: PersonCreate | None = None

    @model_validator(mode="after")
    def names_one(self) -> Self:
        if (self.person_id is None) == (self.person is None):
            raise PydanticCustomError("one_of", "Either person_id or person is needed.")
        return self


class LinkCreate(Body):
    person_id: UUID


class LinkRead(Read):
    """A link as it is read from one of its ends; `person` is the other."""

    id: UUID
    person: PersonSummary
    created_at: datetime
    created_by: UUID


class PersonMatch(PersonFound):
    """`score` is the sum of what speaks for the same person, at most 100."""

    reasons: list[MatchReason]
