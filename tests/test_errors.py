"""Every refusal has its status, its words in two languages, and nothing of what was submitted."""

import asyncio
import io
import json
import unicodedata
from datetime import time
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID, uuid4

import httpx
import psycopg
import psycopg_pool
import pytest
from fastapi import FastAPI, Form, Header, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import exc as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app import errors, logs
from app.errors.titles import TITLES, choose_language

SECRET = "marker-សុខា-012345678"


class Kind(StrEnum):
    home = "home"


def _no_future(value: str) -> str:
    if value == "leak":
        raise PydanticCustomError("leaky", "Not {given}.", {"given": value.upper()})
    if value.startswith("echo"):
        raise PydanticCustomError("echoing", f"Not {value}.")  # the mistake meant
    if value == "broken":
        raise ValueError(value.upper())
    if value == "tomorrow":
        raise PydanticCustomError("future_date", "The day must not be in the future.")
    return value


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cat(Strict):
    kind: Literal["cat"]
    lives: int = Field(le=9)


class Dog(Strict):
    kind: Literal["dog"]


class Note(Strict):
    text: str = Field(max_length=5)
    on: Annotated[str, AfterValidator(_no_future)] = "today"
    kind: Kind = Kind.home
    day: int = 1
    hour: time = time(9)
    id: UUID | None = None
    tags: list[Annotated[str, Field(max_length=3)]] = []
    answers: dict[str, int] = {}
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None


class Filter(Strict):
    limit: int = Field(50, ge=1, le=200)


ALL = [
    errors.BadRequest(),
    errors.Unauthenticated(),
    errors.MfaRequired(),
    errors.PasswordChangeRequired(),
    errors.StepUpRequired(),
    errors.Forbidden(),
    errors.ConfirmationRequired(),
    errors.NotFound(),
    errors.MethodNotAllowed(),
    errors.NotAcceptable(),
    errors.RequestTimeout(),
    errors.Conflict(),
    errors.CaseClosed(),
    errors.IllegalTransition(["open", "closed"]),
    errors.ClosureBlocked(["future_follow_up"]),
    errors.PlanIncomplete(["assessment"]),
    errors.ExceedsApproval(),
    errors.ImportBlocked(["row_errors"]),
    errors.InUse(),
    errors.ConsentRequired(),
    errors.UnsafeCaregiver(),
    errors.UnsafeContact(),
    errors.CaseloadFull(),
    errors.AccessExists(),
    errors.WebhookLimit(),
    errors.LegalHold(),
    errors.PeriodNotOver(),
    errors.ReviewPending(),
    errors.InProgress(),
    errors.DeviceWiped(),
    errors.Withdrawn(),
    errors.PreconditionFailed('"7"'),
    errors.PayloadTooLarge(),
    errors.UnsupportedMediaType(),
    errors.RangeNotSatisfiable(9),
    errors.Invalid.at("/due_on", "past", "The day must not be past."),
    errors.IdempotencyKeyReused(),
    errors.ExternalIdReused(),
    errors.PreconditionRequired(),
    errors.RateLimited(30, "searches"),
    errors.Unavailable(5),
    errors.InternalError(),
]


def application() -> FastAPI:
    app = FastAPI(redirect_slashes=False)
    errors.install(app)
    raised: dict[str, Exception] = {problem.code: problem for problem in ALL}

    @app.get("/raise/{code}")
    async def raise_it(code: str) -> None:
        raise raised[code]

    @app.get("/cases/{case_id}")
    async def read(case_id: UUID, filters: Annotated[Filter, Query()]) -> None:
        raise errors.NotFound

    @app.post("/cases/{case_id}/notes")
    async def write(case_id: UUID, note: Note) -> None:
        raise errors.NotFound

    @app.post("/form")
    async def form(username: Annotated[str, Form()]) -> str:
        return username

    @app.get("/versioned")
    async def versioned(if_match: Annotated[str, Header()]) -> str:
        return if_match

    return app


APP = application()


def call(method: str, url: str, app: FastAPI = APP, **options: object) -> httpx.Response:
    """One request, in an event loop of its own; what the application raises is raised here."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, url, **options)  # type: ignore[arg-type]  # httpx's own types

    return asyncio.run(send())


def problems(note: object) -> list[dict[str, str]]:
    answer = call("POST", f"/cases/{uuid4()}/notes", json=note)
    assert answer.status_code == 422, answer.text
    assert SECRET not in answer.text
    found: list[dict[str, str]] = answer.json()["errors"]
    return found


@pytest.mark.parametrize("problem", ALL, ids=lambda problem: problem.code)
def test_every_problem_answers_with_its_status_its_code_and_its_title(problem: errors.Problem) -> None:
    answer = call("GET", f"/raise/{problem.code}")
    body = answer.json()
    assert answer.status_code == problem.status == body["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "en"
    assert body["code"] == problem.code
    assert body["type"] == f"urn:samaki:problem:{problem.code}"
    assert body["title"] == TITLES[problem.code][0]
    assert ("errors" in body) is (problem.status == 422)
    assert list(body)[:5] == ["type", "title", "status", "code", "instance"]


def test_problems_say_in_headers_what_a_client_needs_to_go_on() -> None:
    def headers(code: str) -> httpx.Headers:
        return call("GET", f"/raise/{code}").headers

    assert headers("unauthenticated")["www-authenticate"] == "Bearer"
    assert headers("mfa_required")["www-authenticate"] == "Bearer"
    assert headers("step_up_required")["www-authenticate"].startswith("Bearer error=")
    assert headers("precondition_failed")["etag"] == '"7"'
    assert headers("rate_limited")["retry-after"] == "30"
    assert headers("rate_limited")["ratelimit"] == '"searches";r=0;t=30'
    assert headers("unavailable")["retry-after"] == "5"
    assert errors.Unavailable().headers["Retry-After"] == "1"
    assert call("GET", "/raise/illegal_transition").json()["allowed"] == ["open", "closed"]


def test_every_code_has_a_title_in_english_and_in_normalised_khmer() -> None:
    assert {problem.code for problem in ALL} == set(TITLES)
    for english, khmer in TITLES.values():
        assert english.isascii()
        assert unicodedata.is_normalized("NFC", khmer)
        assert all("\u1780" <= char <= "\u17ff" or char == " " for char in khmer)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("km", "km"),
        ("KM-kh", "km"),
        ("km-KH,km;q=0.9,en;q=0.8", "km"),
        ("en-GB,en;q=0.9,km;q=0.8", "en"),
        ("en;q=0.5, km ; q=0.6", "km"),
        ("km;q=0.500,en;q=0.501", "en"),
        ("en, km", "en"),
        ("km, en", "km"),
        ("fr, de;q=0.5", "en"),
        ("fr, km;q=0.1", "km"),
        ("*", "en"),
        ("en;q=0, *", "km"),
        ("km;q=0, *;q=0.1", "en"),
        ("km;q=0", "en"),
        ("en;q=0.2, *;q=0.9", "km"),
        ("km;q=2", "en"),
        ("km;q=abc, en;q=0.1", "en"),
        ("km;q=0.1234", "en"),
        (";;;,,,=", "en"),
        ("km\u0663", "en"),
        ("x" * 100_000 + ",km", "en"),
        ("," * 100_000 + "km", "en"),
    ],
)
def test_the_language_is_the_one_that_the_caller_weighs_most(header: str | None, language: str) -> None:
    assert choose_language(header) == language


def test_a_khmer_reader_gets_khmer() -> None:
    answer = call("GET", "/raise/consent_required", headers={"Accept-Language": "km-KH, en;q=0.5"})
    assert answer.headers["content-language"] == "km"
    assert answer.json()["title"] == TITLES["consent_required"][1]


def test_hidden_unknown_and_impossible_ids_and_paths_get_the_same_bytes() -> None:
    urls = [
        f"/cases/{uuid4()}",
        f"/cases/{uuid4()}",
        "/cases/not-an-id",
        "/cases/%00",
        "/nowhere",
        "/cases/1'--",
    ]
    answers = [call("GET", url) for url in urls]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(answer.headers.items()) for answer in answers}) == 1


def test_the_body_of_an_impossible_id_is_judged_as_that_of_an_unknown_one() -> None:
    for note, status in (({"text": "ok"}, 404), ({"text": 5}, 422)):
        unknown, impossible = (call("POST", f"/cases/{case_id}/notes", json=note) for case_id in (uuid4(), SECRET))
        assert unknown.status_code == impossible.status_code == status
        assert unknown.content == impossible.content


def test_a_wrong_method_names_the_right_ones() -> None:
    answer = call("DELETE", f"/cases/{uuid4()}")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("note", "pointer", "code"),
    [
        ({}, "/text", "required"),
        ({"text": "x", "colour": SECRET}, "/colour", "unknown_field"),
        ({"text": "x", SECRET: 1}, "", "unknown_field"),
        ({"text": "x", "a" * 65: 1}, "", "unknown_field"),
        ({"text": "x", "a/b~c": 1}, "", "unknown_field"),
        ({"text": SECRET}, "/text", "too_long"),
        ({"text": None}, "/text", "invalid_text"),
        ({"text": "x", "kind": SECRET}, "/kind", "unknown_code"),
        ({"text": "x", "day": SECRET}, "/day", "invalid_number"),
        ({"text": "x", "id": SECRET}, "/id", "invalid_id"),
        ({"text": "x", "tags": ["a", SECRET]}, "/tags/1", "too_long"),
        ({"text": "x", "tags": SECRET}, "/tags", "invalid_list"),
        ({"text": "x", "answers": {SECRET: "x"}}, "/answers", "invalid_number"),
        ({"text": "x", "pet": {"kind": SECRET}}, "/pet", "unknown_code"),
        ({"text": "x", "pet": {"kind": "cat"}}, "/pet/lives", "required"),
        ({"text": "x", "pet": {"kind": "cat", "lives": 10}}, "/pet/lives", "out_of_range"),
        ({"text": "x", "on": "tomorrow"}, "/on", "future_date"),
        ({"text": "x", "on": "broken"}, "/on", "value_error"),
        ([SECRET], "", "invalid_object"),
        (SECRET, "", "invalid_object"),
        (None, "", "required"),
    ],
)
def test_a_wrong_field_is_pointed_at_and_never_repeated(note: object, pointer: str, code: str) -> None:
    assert [(error["pointer"], error["code"]) for error in problems(note)] == [(pointer, code)]


def test_own_validators_keep_their_words_unless_a_value_is_in_them() -> None:
    messages = {
        on: problems({"text": "x", "on": on})[0]["message"] for on in ("tomorrow", "leak", "broken", f"echo{SECRET}")
    }
    assert messages.pop("tomorrow") == "The day must not be in the future."
    assert set(messages.values()) == {"This value is not valid."}


def test_errors_that_nobody_worded_keep_their_type_and_a_general_message() -> None:
    found = problems({"text": "x", "hour": []})
    assert found == [{"pointer": "/hour", "code": "time_type", "message": "This value is not valid."}]


def test_a_thousand_wrong_items_are_told_fifty_times() -> None:
    assert len(problems({"text": "x", "tags": [SECRET] * 1000})) == 50


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{", "json_invalid"), (SECRET.encode(), "json_invalid"), (b"[" * 100_000, "malformed_body")],
)
def test_the_plain_parser_too_fails_without_an_echo(body: bytes, code: str) -> None:
    answer = call("POST", f"/cases/{uuid4()}/notes", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("", code)]
    assert SECRET not in answer.text


def test_parameters_are_pointed_at_by_their_place_and_name() -> None:
    path = f"/cases/{uuid4()}"
    for query, pointer in (("limit=0", "/query/limit"), ("who=x", "/query/who"), (f"{SECRET}=x", "/query")):
        answer = call("GET", f"{path}?{query}")
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        assert SECRET not in answer.text
    missing = call("GET", "/versioned").json()["errors"][0]
    assert (missing["pointer"], missing["code"]) == ("/header/if-match", "required")


@pytest.mark.parametrize(("url", "kind"), [("/cases/{}/notes", "text/plain"), ("/form", "application/json")])
def test_a_body_of_another_type_is_415(url: str, kind: str) -> None:
    answer = call("POST", url.format(uuid4()), content=b'{"text":"x"}', headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_form_that_lacks_a_field_or_cannot_be_read_is_422() -> None:
    lacking = call("POST", "/form", data={"user": SECRET})
    assert [(error["pointer"], error["code"]) for error in lacking.json()["errors"]] == [("/username", "required")]
    broken = call("POST", "/form", content=SECRET.encode(), headers={"Content-Type": "multipart/form-data"})
    assert broken.status_code == 422
    assert SECRET not in lacking.text + broken.text


def _of_server(kind: type[psycopg.Error]) -> sa.DBAPIError:
    wrapper = next((getattr(sa, base.__name__) for base in kind.__mro__ if hasattr(sa, base.__name__)), sa.DBAPIError)
    wrapped = wrapper("INSERT INTO people VALUES (%(name)s)", {"name": SECRET}, kind(f"Key ({SECRET}) exists"))
    assert isinstance(wrapped, sa.DBAPIError)
    return wrapped


DATABASE: list[tuple[type[psycopg.Error], int, str]] = [
    (psycopg.errors.UniqueViolation, 409, "conflict"),
    (psycopg.errors.ExclusionViolation, 409, "conflict"),
    (psycopg.errors.RestrictViolation, 409, "conflict"),
    (psycopg.errors.ForeignKeyViolation, 422, "validation_failed"),
    (psycopg.errors.CheckViolation, 422, "validation_failed"),
    (psycopg.errors.NotNullViolation, 422, "validation_failed"),
    (psycopg.errors.NumericValueOutOfRange, 422, "validation_failed"),
    (psycopg.errors.UntranslatableCharacter, 422, "validation_failed"),
    (psycopg.errors.ProgramLimitExceeded, 422, "validation_failed"),
    (psycopg.DataError, 422, "validation_failed"),
    (psycopg.errors.InsufficientPrivilege, 403, "forbidden"),
    (psycopg.OperationalError, 503, "unavailable"),
    (psycopg.InterfaceError, 503, "unavailable"),
    (psycopg_pool.PoolTimeout, 503, "unavailable"),
    (psycopg.errors.QueryCanceled, 503, "unavailable"),
    (psycopg.errors.SerializationFailure, 503, "unavailable"),
    (psycopg.errors.DeadlockDetected, 503, "unavailable"),
    (psycopg.errors.AdminShutdown, 503, "unavailable"),
    (psycopg.errors.CannotConnectNow, 503, "unavailable"),
    (psycopg.errors.TooManyConnections, 503, "unavailable"),
    (psycopg.errors.DiskFull, 503, "unavailable"),
    (psycopg.errors.LockNotAvailable, 503, "unavailable"),
    (psycopg.errors.ReadOnlySqlTransaction, 503, "unavailable"),
    (psycopg.errors.UndefinedTable, 500, "internal_error"),
    (psycopg.errors.SyntaxError, 500, "internal_error"),
    (psycopg.errors.InFailedSqlTransaction, 500, "internal_error"),
]


@pytest.mark.parametrize(("kind", "status", "code"), DATABASE, ids=lambda value: getattr(value, "__name__", None))
def test_what_the_database_refuses_is_answered_by_its_state_with_or_without_sqlalchemy(
    kind: type[psycopg.Error], status: int, code: str
) -> None:
    for error in (_of_server(kind), kind(SECRET)):
        problem = errors.to_problem(error, {"type": "http"})
        assert (problem.status, problem.code) == (status, code)
        assert SECRET not in json.dumps(problem.body(title="", instance=""))


def test_an_exhausted_pool_and_a_connection_that_broke_are_503() -> None:
    broken = sa.PendingRollbackError(SECRET, code="8s2b")
    lost = sa.DBAPIError(SECRET, None, psycopg.DatabaseError(SECRET), connection_invalidated=True)
    for error in (sa.TimeoutError(SECRET), broken, lost):
        assert errors.to_problem(error, {"type": "http"}).code == "unavailable"
    assert errors.to_problem(sa.PendingRollbackError(SECRET, code="7s2a"), {"type": "http"}).status == 500


def test_a_database_that_is_not_there_is_503_and_the_log_tells_its_type_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, lines = FastAPI(), io.StringIO()
    errors.install(app)
    engine = create_async_engine("postgresql+psycopg://nobody:marker-pw@127.0.0.1:1/samaki?connect_timeout=2")

    @app.get("/")
    async def read() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("select 1"))

    monkeypatch.setattr(logs._lines, "stream", lines)
    answer = call("GET", "/", app=app)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    line = json.loads(lines.getvalue())
    assert line["event"] == "unavailable"
    assert line["error_type"] == "sqlalchemy.exc.OperationalError"
    assert "marker" not in lines.getvalue() + answer.text
