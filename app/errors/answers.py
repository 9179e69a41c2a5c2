"""From any exception to its answer, application/problem+json, and what the log may know of it."""

import json

import psycopg
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import FormData, Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.errors.database import database_problem, is_database_error, sqlstate
from app.errors.messages import in_language
from app.errors.outcomes import FHIR_JSON, is_fhir, outcome, weak
from app.errors.problems import (
    Forbidden,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    RequestTimeout,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from app.errors.titles import choose_language, title
from app.errors.validation import field_errors
from app.logs import log

_OF_STATUS: dict[int, type[Problem]] = {
    problem.status: problem
    for problem in (
        Unauthenticated,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        RequestTimeout,
        PayloadTooLarge,
        UnsupportedMediaType,
        Unavailable,
    )
}
_KEPT_HEADERS = ("Allow", "WWW-Authenticate", "Retry-After")
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def install(app: FastAPI) -> None:
    """Registers every handler on `app`; what none of them takes is left to app.edge's last net."""
    # FastAPI comes with handlers of its own for the framework's refusals, which echo what was submitted.
    brought = [kind for kind in app.exception_handlers if kind is not WebSocketRequestValidationError]
    for kind in (*brought, Problem, SQLAlchemyError, psycopg.Error):
        app.add_exception_handler(kind, answer)


async def answer(request: Request, error: Exception) -> Response:
    """The answer to any exception; 500s and database trouble are logged by type and place only."""
    problem = to_problem(error, request.scope)
    if isinstance(problem, InternalError) or is_database_error(error):
        level = log.error if isinstance(problem, InternalError) else log.warning
        level(problem.code, exc_info=error, status=problem.status, code=sqlstate(error))
    return problem_response(problem, request.scope)


def to_problem(error: Exception, scope: Scope) -> Problem:
    """Any exception as a problem: itself, the framework's, the database's, or InternalError."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _validation_problem(error, scope)
    if is_database_error(error):
        return database_problem(error)
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return _framework_problem(status, getattr(error, "headers", None) or {})
    return InternalError()


def problem_response(problem: Problem, scope: Scope) -> Response:
    """The problem in the caller's language, on the FHIR face as an OperationOutcome; `instance` is the request id that
    app.edge set."""
    language = choose_language(Headers(scope=scope).get("accept-language"))
    instance = str(scope.get("state", {}).get("request_id", ""))
    problem.errors = in_language(problem.errors, language)  # an occurrence is told once
    words, fhir = title(problem.code, language), is_fhir(scope)
    body = outcome(problem, words, instance) if fhir else problem.body(title=words, instance=instance)
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        status_code=problem.status,
        headers={**(weak(problem.headers) if fhir else problem.headers), "Content-Language": language},
        media_type=FHIR_JSON if fhir else "application/problem+json",
    )


def _validation_problem(error: RequestValidationError, scope: Scope) -> Problem:
    # An id that is none names nothing: exactly what an unknown one gets, so its body is judged first as well.
    found = [one for one in error.errors() if one["loc"][:1] != ("path",)]
    if not found:
        return NotFound()
    if _wrong_media_type(error.body, scope):
        return UnsupportedMediaType()
    return Invalid(field_errors(found, error.body))


def _wrong_media_type(body: object, scope: Scope) -> bool:
    """FastAPI leaves a body not announced as JSON as bytes, and one that is no form as an empty form."""
    if isinstance(body, bytes):
        return True
    media_type = Headers(scope=scope).get("content-type", "").split(";")[0].strip().lower()
    return isinstance(body, FormData) and media_type not in ("", *_FORMS)


def _framework_problem(status: int, headers: dict[str, str]) -> Problem:
    """What Starlette and FastAPI refuse by themselves."""
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    if status in _OF_STATUS:
        problem = _OF_STATUS[status]()
        problem.headers.update(kept)
        return problem
    if 400 <= status < 500:  # in practice 400: a form or a body that cannot be parsed
        return Invalid.at("", "malformed_body", "The body cannot be read.")
    return InternalError()
