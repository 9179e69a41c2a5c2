"""`/cases/{case_id}/assessments`, `…/risk`, `…/risk-history`: how dangerous it is for her, and who said so when."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, Route, Session, answers_for, created
from app.models.assessment import AssessmentCreate, AssessmentRead, RiskChangeRead, RiskReview, RiskSet
from app.models.base import Page
from app.paging import ListQuery
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import assessments, risks

router = APIRouter(prefix=API, tags=["assessments"], route_class=Route)

Reader = Annotated[Actor, allowed(Permission.ASSESSMENT_READ)]


@router.post("/cases/{case_id}/assessments", status_code=201)
async def assess(
    case_id: UUID,
    told: AssessmentCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSESSMENT_EDIT)],
) -> AssessmentRead:
    """Record an assessment; the DA-5 is scored, and the case's risk follows."""
    made = await assessments.assess(session, actor, case_id, told)
    created(response, f"/cases/{case_id}/assessments/{made.id}")
    return made


@router.get("/cases/{case_id}/assessments")
async def list_assessments(
    case_id: UUID, query: Annotated[ListQuery, Query()], session: Session, actor: Reader
) -> Page[AssessmentRead]:
    """The assessments of the case, newest recorded first."""
    return await assessments.list_assessments(session, case_id, query)


@router.get("/cases/{case_id}/assessments/{assessment_id}")
async def read_assessment(case_id: UUID, assessment_id: UUID, session: Session, actor: Reader) -> AssessmentRead:
    """One assessment."""
    return await assessments.read_assessment(session, case_id, assessment_id)


@router.post("/cases/{case_id}/risk", status_code=201)
async def set_risk(
    case_id: UUID,
    wanted: RiskSet,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.RISK_SET)],
) -> RiskChangeRead:
    """Set the level of risk, with the reason; from high only a supervisor lowers it."""
    change = await risks.set_risk(session, actor, case_id, wanted)
    created(response, f"/cases/{case_id}/risk-history/{change.id}")
    return change


@router.get("/cases/{case_id}/risk-history")
async def list_risk_history(
    case_id: UUID, query: Annotated[ListQuery, Query()], session: Session, actor: Reader
) -> Page[RiskChangeRead]:
    """The levels that the case has had, newest first: who set them when, and why."""
    return await risks.list_changes(session, case_id, query)


@router.get("/cases/{case_id}/risk-history/{change_id}")
async def read_risk_change(case_id: UUID, change_id: UUID, session: Session, actor: Reader) -> RiskChangeRead:
    """One change of the level."""
    return await risks.read_change(session, case_id, change_id)


@router.post("/cases/{case_id}/risk-history/{change_id}/review")
async def review_risk(
    case_id: UUID,
    change_id: UUID,
    told: RiskReview,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.RISK_REVIEW)],
) -> RiskChangeRead:
    """Say, as a supervisor, that you have looked at a case that became high risk."""
    reviewed = await risks.review_change(session, actor, case_id, change_id, told)
    answers_for(response, f"/cases/{case_id}/risk-history/{change_id}")
    return reviewed
