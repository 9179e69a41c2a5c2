"""`/fhir/R4/metadata`: what the FHIR face can do."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.errors import FHIR
from app.fhir.capabilities import statement
from app.fhir.capability import CapabilityStatement
from app.fhir.searches import Asked
from app.routers.fhir_route import FhirResponse, FhirRoute, answer, base_of
from app.security import runtime_of

router = APIRouter(prefix=FHIR, tags=["fhir"], route_class=FhirRoute, default_response_class=FhirResponse)


@router.get("/metadata", response_model=CapabilityStatement)
async def read_fhir_capabilities(asked: Annotated[Asked, Query()], request: Request) -> Response:
    """The CapabilityStatement: resources, interactions and parameters, and no more than there is."""
    return answer(statement(base_of(request), cors=bool(runtime_of(request).settings.cors_origins)))
