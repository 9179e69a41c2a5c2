"""`/fhir/R4/metadata`, what the FHIR face can do, and `POST /fhir/R4`, a referral in."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from app.calendar import day_of
from app.errors import FHIR, FHIR_JSON, Invalid
from app.fhir.bundle import Answer, AnsweredEntry, Transaction, TransactionResponse
from app.fhir.capabilities import statement
from app.fhir.capability import CapabilityStatement
from app.fhir.changes import built, moved
from app.fhir.intake import entry_kinds, sent_in
from app.fhir.searches import Asked
from app.fhir.types import written
from app.http import Session
from app.models.referral_in import ReferralInCreate
from app.models.referral_reads import PartnerRead
from app.permissions import Permission
from app.preconditions import etag
from app.routers.fhir_route import FhirResponse, FhirRoute, answer, base_of
from app.security import Actor, allowed, runtime_of
from app.services import referring_in

router = APIRouter(prefix=FHIR, tags=["fhir"], route_class=FhirRoute, default_response_class=FhirResponse)


@router.get("/metadata", response_model=CapabilityStatement)
async def read_fhir_capabilities(asked: Annotated[Asked, Query()], request: Request) -> Response:
    """The CapabilityStatement: resources, interactions and parameters, and no more than there is."""
    return answer(statement(base_of(request), cors=bool(runtime_of(request).settings.cors_origins)))


@router.post("/", response_model=TransactionResponse, include_in_schema=False)
@router.post("", response_model=TransactionResponse)
async def send_fhir_transaction(
    asked: Annotated[Asked, Query()],
    bundle: Annotated[Transaction, Body(media_type=FHIR_JSON)],
    request: Request,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_SEND)],
) -> Response:
    """Send a client, as a partner, with her consent. The same identifier again answers with the first referral."""
    sent = sent_in(bundle, actor.own_organisation, day_of(actor.now))
    wanted = built(ReferralInCreate, sent.values, sent.places)
    try:
        one, is_new = await referring_in.refer_in(session, actor, wanted)
    except Invalid as error:
        raise moved(error, sent.places) from None
    entries = [AnsweredEntry(response=_answered(kind, one, is_new)) for kind in entry_kinds(bundle)]
    return answer(TransactionResponse(resourceType="Bundle", type="transaction-response", entry=entries))


def _answered(kind: str, one: PartnerRead, is_new: bool) -> Answer:
    """A Consent has no address: what she agreed to is not read back. Nor is the Patient, by who sent her."""
    return Answer(
        status="201 Created" if is_new else "200 OK",
        location=None if kind == "Consent" else f"{kind}/{one.id}",
        etag=f"W/{etag(one.version)}",
        lastModified=written(one.updated_at),
    )
