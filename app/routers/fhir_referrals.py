"""`/fhir/R4/Task`, `/ServiceRequest` and `/Patient`: the three faces of a referral."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import FHIR, FHIR_JSON, Invalid, NotFound
from app.fhir.bundle import SearchSet
from app.fhir.changes import PLACES, TaskPatch, Wanted, moved, patched, replaced
from app.fhir.disclosed import patient_of
from app.fhir.pages import page_of
from app.fhir.patient import Patient
from app.fhir.referrals import listed_patient_of, listed_service_request_of, service_request_of, task_of
from app.fhir.searches import Asked, PatientSearch, ReferralSearch, ServiceRequestSearch, TaskSearch
from app.fhir.selecting import asked_of, keep, only_one
from app.fhir.service_request import ServiceRequest
from app.fhir.task import Task
from app.http import IfMatch, Session
from app.models.base import Page
from app.models.referral_reads import PartnerRead, ReferralFace
from app.permissions import Permission
from app.preconditions import check_match, etag
from app.routers.fhir_route import JSON_PATCH, FhirPatchRoute, FhirResponse, FhirRoute, answer, base_of, strong
from app.security import Actor, allowed
from app.services import referral_moves, referrals
from app.services.referral_faces import Face, list_faces, read_face

router = APIRouter(prefix=FHIR, tags=["fhir"], route_class=FhirRoute, default_response_class=FhirResponse)
patching = APIRouter(prefix=FHIR, tags=["fhir"], route_class=FhirPatchRoute, default_response_class=FhirResponse)

Reader = Annotated[Actor, allowed(Permission.REFERRAL_READ)]
Answerer = Annotated[Actor, allowed(Permission.REFERRAL_ANSWER)]


@router.get("/Task", response_model=SearchSet)
async def list_fhir_tasks(
    search: Annotated[TaskSearch, Query()], request: Request, session: Session, actor: Reader
) -> Response:
    """Referrals to and from your organisation, newest first; with what is asked by `_include=Task:focus`."""
    page = await _found(session, actor, search)
    asked = page.items if search.include else []
    return answer(
        page_of(
            base_of(request),
            "Task",
            search,
            [task_of(one) for one in page.items],
            page.next_cursor,
            [listed_service_request_of(one) for one in asked],
        )
    )


@router.get("/Task/{referral_id}", response_model=Task)
async def read_fhir_task(
    referral_id: UUID, asked: Annotated[Asked, Query()], session: Session, actor: Reader
) -> Response:
    """One referral: where it stands."""
    return _task(await read_face(session, actor, referral_id))


@router.put("/Task/{referral_id}", response_model=Task)
async def replace_fhir_task(
    referral_id: UUID,
    asked: Annotated[Asked, Query()],
    sent: Annotated[Task, Body(media_type=FHIR_JSON)],
    session: Session,
    actor: Answerer,
    if_match: IfMatch = None,
) -> Response:
    """Take it a step on with the whole Task: `status`, `statusReason`, `businessStatus` and `output` may differ."""
    return await _change(session, actor, referral_id, strong(if_match), lambda one: replaced(one, sent))


@patching.patch("/Task/{referral_id}", response_model=Task)
async def patch_fhir_task(
    referral_id: UUID,
    asked: Annotated[Asked, Query()],
    operations: Annotated[TaskPatch, Body(media_type=JSON_PATCH)],
    session: Session,
    actor: Answerer,
    if_match: IfMatch = None,
) -> Response:
    """The same with a JSON Patch of those four elements."""
    return await _change(session, actor, referral_id, strong(if_match), lambda one: patched(one, operations))


@router.get("/ServiceRequest", response_model=SearchSet)
async def list_fhir_service_requests(
    search: Annotated[ServiceRequestSearch, Query()], request: Request, session: Session, actor: Reader
) -> Response:
    """What is asked of your organisation and by it, newest first."""
    page = await _found(session, actor, search)
    found = [listed_service_request_of(one) for one in page.items]
    return answer(page_of(base_of(request), "ServiceRequest", search, found, page.next_cursor))


@router.get("/ServiceRequest/{referral_id}", response_model=ServiceRequest)
async def read_fhir_service_request(
    referral_id: UUID, asked: Annotated[Asked, Query()], session: Session, actor: Reader
) -> Response:
    """What is asked, and for its recipient, once it is accepted, why."""
    one = await referrals.read_referral(session, actor, referral_id)
    return answer(service_request_of(one), one.version, one.updated_at)


@router.get("/Patient", response_model=SearchSet)
async def list_fhir_patients(
    search: Annotated[PatientSearch, Query()], request: Request, session: Session, actor: Reader
) -> Response:
    """Of whom you are told, as ids: what you are told of a client is read one by one."""
    page = await _found(session, actor, search)
    found = [listed_patient_of(one) for one in page.items]
    return answer(page_of(base_of(request), "Patient", search, found, page.next_cursor))


@router.get("/Patient/{referral_id}", response_model=Patient)
async def read_fhir_patient(
    referral_id: UUID, asked: Annotated[Asked, Query()], session: Session, actor: Reader
) -> Response:
    """What the client of a referral agreed to tell you; 404 before you accept it and once it has closed."""
    one = await referrals.read_referral(session, actor, referral_id)
    if not isinstance(one, PartnerRead) or one.disclosed is None:
        raise NotFound
    return answer(patient_of(one, one.disclosed), one.version, one.updated_at)


async def _found(session: AsyncSession, actor: Actor, search: ReferralSearch) -> Page[Face]:
    query, meant = asked_of(search, actor.organisation_id), keep(search)
    named = only_one(search)
    if named is None:
        return await list_faces(session, actor, query, meant)
    try:
        one = await read_face(session, actor, UUID(named))
    except (ValueError, NotFound):
        return Page[Face](items=[])
    return Page[Face](items=[one] if meant(one) else [])


async def _change(
    session: AsyncSession,
    actor: Actor,
    referral_id: UUID,
    if_match: str | None,
    wanted_of: Callable[[ReferralFace], Wanted],
) -> Response:
    """404, then 428/412 by If-Match, then 422 for what cannot be meant, then the rules of the step itself."""
    one = await read_face(session, actor, referral_id)
    check_match(if_match, one.version)
    try:
        await _go(session, actor, one, wanted_of(one))
    except Invalid as error:
        raise moved(error, PLACES) from None
    # By its face again: a Task opens nothing of what is told, and the trail must not say that it did.
    return _task(await read_face(session, actor, referral_id))


async def _go(session: AsyncSession, actor: Actor, one: ReferralFace, wanted: Wanted) -> None:
    """Progress of the state that is left, the step, progress of the state that is reached: each holds the version."""
    match = etag(one.version)
    if wanted.update is not None and wanted.update_first:
        changed = await referral_moves.change_referral(session, actor, one.id, wanted.update, match)
        match = etag(changed.version)
    if wanted.step is not None:
        stepped = await referral_moves.move_referral(session, actor, one.id, wanted.step, match)
        match = etag(stepped.version)
    if wanted.update is not None and not wanted.update_first:
        await referral_moves.change_referral(session, actor, one.id, wanted.update, match)


def _task(one: Face) -> Response:
    return answer(task_of(one), one.version, one.updated_at)
