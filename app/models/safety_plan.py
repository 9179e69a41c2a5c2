"""What she does when it becomes dangerous: planned together with her, or why there is no need."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from pydantic import model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field

from app.models.action import YesNo
from app.models.base import Body, Day, Read, Table, wrong
from app.text import LongText, ShortText


class SafetyPlan(Table, table=True):
    """One row of a case, sealed whole with the case's key.

    `review_due_on` is when it is to be looked at again, None once that was done: the next date of the case and the
    worklist are found by it.
    """

    __tablename__ = "safety_plans"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_safety_plans_case", "case_id", unique=True),
    )

    case_id: UUID
    organisation_id: UUID
    created_by: UUID = Field(foreign_key="users.id")
    review_due_on: date | None = None
    sealed: bytes | None = Field(default=None, nullable=False)


class SafetyPlanWrite(Body):
    """The whole of it: what is left out is not kept from before. `review_on`: when it is looked at again;
    `reviewed_on`: when that was done last."""

    needed: YesNo
    not_needed_reason: ShortText | None = None
    developed_with_client: YesNo = False
    concern: LongText | None = None
    resources: LongText | None = None
    preparedness: LongText | None = None
    strategies: LongText | None = None
    code_word: ShortText | None = None
    safe_places: Annotated[list[ShortText], Rule(max_length=20)] = []
    review_on: Day | None = None
    reviewed_on: Day | None = None

    @model_validator(mode="after")
    def is_whole(self) -> "SafetyPlanWrite":
        if not self.needed and self.not_needed_reason is None:
            raise wrong("not_needed_reason", "reason_required", "Say why no safety plan is needed.")
        if self.needed and not self.developed_with_client:
            raise wrong(
                "developed_with_client", "without_the_client", "A safety plan is made together with the client."
            )
        if self.needed and self.not_needed_reason is not None:
            raise wrong("not_needed_reason", "reason_not_allowed", "A plan that is needed has no reason why not.")
        written = (self.concern, self.resources, self.preparedness, self.strategies, self.safe_places)
        if self.needed and not any(written):
            raise PydanticCustomError("plan_empty", "A plan says what she is afraid of or what she does then.")
        return self


class SafetyPlanRead(Read):
    case_id: UUID
    needed: bool
    not_needed_reason: str | None
    developed_with_client: bool
    concern: str | None
    resources: str | None
    preparedness: str | None
    strategies: str | None
    code_word: str | None
    safe_places: list[str]
    review_on: date | None
    reviewed_on: date | None
    version: int
    created_at: datetime
    updated_at: datetime
