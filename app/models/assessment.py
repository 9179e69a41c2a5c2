"""How dangerous it is for her: assessments with their tools, and the levels of risk that a case has had."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from pydantic import model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from app.models.action import YesNo
from app.models.base import TIMESTAMP, Body, Day, Read, Table, coded, wrong
from app.models.case import Colleague
from app.models.codes.cases import RiskLevel
from app.models.codes.incidents import AssessmentTool, RiskFactor
from app.text import LongText, ShortText

DANGER_TOOLS = frozenset(AssessmentTool) - {AssessmentTool.NEEDS}


class Assessment(Table, table=True):
    """Never changed: a new look is a new row. Everything but the tool is sealed."""

    __tablename__ = "assessments"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_assessments_case", "case_id", "created_at"),
    )

    case_id: UUID
    organisation_id: UUID
    tool: AssessmentTool = Field(sa_type=coded(AssessmentTool))
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class RiskChange(Table, table=True):
    """One change of a case's level of risk. `review_due_at`: until when a supervisor looks at it; None: nobody must."""

    __tablename__ = "risk_changes"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_risk_changes_case", "case_id", "created_at"),
        Index(
            "ix_risk_changes_waiting",
            "organisation_id",
            "case_id",
            postgresql_where=text("review_due_at IS NOT NULL AND reviewed_at IS NULL"),
        ),
    )

    case_id: UUID
    organisation_id: UUID
    before: RiskLevel = Field(sa_type=coded(RiskLevel))
    level: RiskLevel = Field(sa_type=coded(RiskLevel))
    assessment_id: UUID | None = Field(default=None, foreign_key="assessments.id")
    review_due_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    reviewed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    reviewed_by: UUID | None = Field(default=None, foreign_key="users.id")
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class DangerAnswers(Body):
    """The five questions of the DA-5. Each is answered: a question left open would count as a no."""

    more_frequent: YesNo
    weapon: YesNo
    capable_of_killing: YesNo
    choked: YesNo
    jealous: YesNo


NO_LEVEL = "Only low, medium or high is a level that somebody found."


def _is_assessed(level: RiskLevel) -> RiskLevel:
    if level is RiskLevel.NOT_ASSESSED:
        raise PydanticCustomError("level_required", NO_LEVEL)
    return level


class ToolResult(Body):
    """What a longer tool gave, as it is written there."""

    level: RiskLevel | None = None
    score: Annotated[int, Rule(strict=True, ge=0, le=1000)] | None = None
    text: LongText | None = None

    @model_validator(mode="after")
    def says_something(self) -> "ToolResult":
        if self.level is None and self.score is None and self.text is None:
            raise PydanticCustomError("result_empty", "A result has a level, a score or a text.")
        if self.level is RiskLevel.NOT_ASSESSED:
            raise wrong("level", "level_required", NO_LEVEL)
        return self


class AssessmentCreate(Body):
    """`answers` (with `factors`, and `raised_to` with its `reason`) for the DA-5, `result` for every other tool."""

    tool: AssessmentTool
    assessed_on: Day
    answers: DangerAnswers | None = None
    factors: Annotated[list[RiskFactor], Rule(max_length=4)] = []
    raised_to: RiskLevel | None = None
    reason: ShortText | None = None
    result: ToolResult | None = None

    @model_validator(mode="after")
    def fits_the_tool(self) -> "AssessmentCreate":
        computed = self.tool is AssessmentTool.DA5
        if (self.answers is not None) is not computed or (self.result is not None) is computed:
            raise PydanticCustomError("tool_not_fitting", "The DA-5 has answers, every other tool a result.")
        if not computed and (self.factors or self.raised_to):
            raise PydanticCustomError("tool_not_fitting", "Factors and a raised level belong to the DA-5.")
        if self.tool is AssessmentTool.NEEDS and self.result is not None and self.result.level is not None:
            raise PydanticCustomError("tool_not_fitting", "An assessment of needs finds no level of danger.")
        if self.raised_to is not None and self.reason is None:
            raise wrong("reason", "reason_required", "Who raises the level says why.")
        return self


class AssessmentRead(Read):
    """`computed`: what the answers give; `level`: what the assessment says in the end, null where it says nothing.
    `applied`: the case's risk followed it; not so where a supervisor must decide on lowering it first."""

    id: UUID
    case_id: UUID
    tool: AssessmentTool
    assessed_on: date
    answers: DangerAnswers | None
    factors: list[RiskFactor]
    result: ToolResult | None
    score: int | None
    computed: RiskLevel | None
    level: RiskLevel | None
    reason: str | None
    urgent_health: bool
    applied: bool
    assessor: Colleague
    created_at: datetime


class RiskSet(Body):
    level: RiskLevel
    reason: ShortText

    @model_validator(mode="after")
    def is_a_level(self) -> "RiskSet":
        _is_assessed(self.level)
        return self


class RiskReview(Body):
    note: LongText | None = None


class RiskChangeRead(Read):
    id: UUID
    case_id: UUID
    before: RiskLevel
    level: RiskLevel
    at: datetime
    by: Colleague
    reason: str | None
    assessment_id: UUID | None
    review_due_at: datetime | None
    reviewed_at: datetime | None
    reviewed_by: UUID | None
    review_note: str | None
