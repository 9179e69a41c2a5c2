"""The edge: what never comes in, what never goes out, and what the log and the metrics may know."""

import asyncio
import io
import json
import logging
import re
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, Body, FastAPI, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.pool import QueuePool
from starlette.types import Message

from app import edge, errors, logs, metrics
from app.edge.connection import Connection

NOBODY = "6b3c2c3e-0f6f-4a53-9d0c-3a9a54d2a111"  # fixed: the names of tests must be the same in every process

MARKER = "marker-Sokha"

REQUEST = UUID("0d7f7227-a636-400c-94f2-2e157ce50c0b")


def application(**options: Any) -> FastAPI:
    app = FastAPI(redirect_slashes=False, docs_url="/docs")
    cases = APIRouter(prefix="/cases")

    @cases.get("/{case_id}")
    async def read(case_id: UUID, request: Request) -> dict[str, str]:
        request.state.actor_id = "11111111-2222-4333-8444-555555555555"
        return {"id": str(case_id), "request_id": request.state.request_id}

    @cases.post("/{case_id}/notes")
    async def write(note: Annotated[dict[str, str], Body()]) -> int:
        logs.log.info("note.written", count=len(note))
        return sum(map(len, note.values()))

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError(MARKER)

    @app.get("/wrong-answer", response_model=int)
    async def wrong_answer() -> str:
        return MARKER

    @app.get("/breaks-later")
    async def breaks_later() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"first"
            raise ZeroDivisionError(MARKER)

        return StreamingResponse(parts())

    @app.get("/codes")
    async def codes() -> StreamingResponse:
        return StreamingResponse(iter([b"{}"]), headers={"Cache-Control": "max-age=60"})

    @app.put("/upload")
    async def upload(request: Request) -> int:
        return sum([len(part) async for part in request.stream()])

    api = APIRouter(prefix="/api/v1")
    api.include_router(cases)
    app.include_router(api)
    errors.install(app)
    edge.wrap(app, **options)
    return app


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the process would have written to standard output, with logging set up as in serving."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.configure(stream)
    yield stream
    logs.configure()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def told(lines: io.StringIO, event: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, lines.getvalue().splitlines()) if line["event"] == event]


def call(app: FastAPI, method: str, url: str, **options: Any) -> httpx.Response:
    """One request; whatever the application raises is raised here, as it would be into the server's log."""

    async def send() -> httpx.Response:
        base_url = options.pop("base_url", "http://test")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url) as client:
            return await client.request(method, url, **options)

    return asyncio.run(send())


def raw(app: FastAPI, parts: list[Message | None], path: str = "/upload", **scope: Any) -> tuple[int, list[Message]]:
    """Speaks ASGI itself: (how many parts were asked for, what was sent). None: the next part never comes."""
    asked, sent = 0, []

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        part = parts.pop(0) if parts else None
        if part is None:
            await asyncio.get_running_loop().create_future()
        assert part is not None
        return part

    async def send(message: Message) -> None:
        sent.append(message)

    base = {
        "type": "http",
        "method": "PUT",
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "headers": [],
    }
    asyncio.run(app({**base, "root_path": "", **scope}, receive, send))
    return asked, sent


def chunk(size: int, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


@pytest.mark.parametrize("path", [f"/api/v1/cases/{NOBODY}", "/nowhere", "/api/v1/cases/x", "/broken", "/api/v1/cases"])
def test_every_answer_even_a_failure_carries_the_security_headers_and_its_request_id(path: str) -> None:
    answer = call(application(), "GET", path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "strict-transport-security" not in answer.headers
    assert UUID(answer.headers["x-request-id"]).version == 4


def test_https_is_asked_for_again_and_own_cache_rules_stay() -> None:
    secure = call(application(), "GET", "/codes", base_url="https://test")
    assert secure.headers["strict-transport-security"].startswith("max-age=")
    assert secure.headers.get_list("cache-control") == ["max-age=60"]


def test_only_the_documentation_page_named_may_run_script() -> None:
    assert "script-src" in call(application(docs_paths=["/docs"]), "GET", "/docs").headers["content-security-policy"]
    assert "script-src" not in call(application(), "GET", "/docs").headers["content-security-policy"]


@pytest.mark.parametrize("asked", [str(REQUEST), str(REQUEST).upper(), REQUEST.hex])
def test_a_harmless_request_id_is_kept_and_ends_in_the_problem(asked: str) -> None:
    answer = call(application(), "GET", "/nowhere", headers={"X-Request-ID": asked})
    assert answer.headers["x-request-id"] == answer.json()["instance"] == asked
    inside = call(application(), "GET", f"/api/v1/cases/{uuid4()}", headers={"X-Request-ID": asked})
    assert inside.json()["request_id"] == asked


@pytest.mark.parametrize(
    "asked",
    [
        *("short", "a" * 65, "with space in it", "semi;colon-1234", "", "\xe9" * 10),
        *("name-sok-dara-of-siem-reap", "012-345-678", f"{REQUEST}-sok", f"sok-{REQUEST.hex}"),
        *("s" * 32, REQUEST.hex[:31], f"{REQUEST.hex}0", f"{REQUEST}0", "-".join(["0123456789"] * 3), f"{{{REQUEST}}}"),
    ],
)
def test_any_other_request_id_is_replaced_for_it_might_be_a_name_or_a_number(asked: str) -> None:
    answer = call(application(), "GET", "/nowhere", headers={"X-Request-ID": asked.encode("latin-1")})
    assert UUID(answer.headers["x-request-id"]).version == 4


def test_cors_is_closed_until_an_origin_is_named() -> None:
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "PATCH"}
    path = f"/api/v1/cases/{uuid4()}"
    closed = call(application(), "OPTIONS", path, headers=preflight)
    assert closed.status_code == 405
    assert not [name for name in closed.headers if name.startswith("access-control")]
    app = application(cors_origins=["https://app.example"])
    assert call(app, "OPTIONS", path, headers=preflight).headers["access-control-allow-origin"] == preflight["Origin"]
    failed = call(app, "GET", "/broken", headers=preflight)
    assert failed.headers["access-control-allow-origin"] == preflight["Origin"]
    other = call(app, "GET", path, headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers


def test_an_announced_two_megabytes_are_refused_before_a_byte_is_read() -> None:
    asked, sent = raw(application(), [chunk(2_000_000, more=False)], headers=[(b"content-length", b"2000000")])
    assert asked == 0
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["code"] == "payload_too_large"


def test_an_unannounced_two_megabytes_are_refused_once_the_limit_is_passed() -> None:
    asked, sent = raw(application(), [chunk(400_000) for _ in range(5)])
    assert asked == 3
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 413


def test_a_json_body_too_large_is_413_although_the_framework_would_say_400() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"[" * 100_000

    answer = call(
        application(),
        "POST",
        f"/api/v1/cases/{uuid4()}/notes",
        content=parts(),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_a_body_of_exactly_the_limit_passes_and_uploads_have_their_own() -> None:
    app = application(body_limit=10, upload_limit=20, upload_paths=re.compile("/upload"))
    note = f"/api/v1/cases/{uuid4()}/notes"
    assert call(app, "POST", note, content=b'{"a":"bc"}', headers={"Content-Type": "application/json"}).json() == 2
    assert call(app, "POST", note, json={"a": "bcd"}).status_code == 413
    assert call(app, "PUT", "/upload", content=b"x" * 20).json() == 20
    assert call(app, "PUT", "/upload", content=b"x" * 21).status_code == 413


@pytest.mark.parametrize(
    ("lengths", "status"),
    [
        ([b"-1"], 400),
        ([b"+1"], 400),
        ([b"1e3"], 400),
        ([b""], 400),
        ([b"\xb2"], 400),
        ([b"5", b"6"], 400),
        ([b"9" * 10_000], 413),
        ([b"0" * 10_000 + b"1"], 200),
    ],
)
def test_a_length_that_is_none_is_the_callers_fault(lengths: list[bytes], status: int) -> None:
    headers = [(b"content-length", length) for length in lengths]
    _, sent = raw(application(), [chunk(1, more=False)], headers=headers)
    assert sent[0]["status"] == status


def test_a_body_that_never_ends_is_given_up_at_the_deadline() -> None:
    for path, method in (("/upload", "PUT"), (f"/api/v1/cases/{uuid4()}/notes", "POST")):
        asked, sent = raw(application(body_seconds=0.01), [chunk(1), None], path=path, method=method)
        assert asked == 2
        assert sent[0]["status"] == 408
        assert (b"connection", b"close") in sent[0]["headers"]


def test_a_client_that_leaves_while_sending_is_no_failure_of_ours(lines: io.StringIO) -> None:
    _, sent = raw(application(), [chunk(1), {"type": "http.disconnect"}])
    assert sent == []
    assert [line["status"] for line in told(lines, "request")] == [499]
    assert told(lines, "internal_error") == []


def test_who_sends_a_file_that_is_too_large_may_finish_and_is_told() -> None:
    app = application(body_limit=10, upload_limit=20, upload_paths=re.compile("/upload"))

    def read(path: str, announced: int, *headers: tuple[bytes, bytes]) -> tuple[int, int]:
        """The status, and how many of four parts were taken."""
        parts: list[Message | None] = [chunk(6), chunk(6), chunk(6), chunk(6, more=False)]
        length = (b"content-length", str(announced).encode())
        taken, sent = raw(app, parts, path, headers=[length, *headers])
        return sent[0]["status"], taken

    assert read("/upload", 24) == (413, 4)
    assert read("/upload", 24, (b"expect", b"100-continue")) == (413, 0)
    assert read("/upload", 41) == (413, 0), "nobody waits for far more"
    assert read("/upload", 10**30) == (413, 0)
    assert read("/echo", 24) == (413, 0)


def test_a_system_that_sends_a_message_too_large_may_finish_and_is_told() -> None:
    app = application(body_limit=10, message_paths=re.compile("/upload"))

    def read(path: str, announced: int) -> tuple[int, int]:
        parts: list[Message | None] = [chunk(6), chunk(6), chunk(6), chunk(6, more=False)]
        taken, sent = raw(app, parts, path, headers=[(b"content-length", str(announced).encode())])
        return sent[0]["status"], taken

    assert read("/upload", 24) == (413, 4)
    assert read("/upload", 80) == (413, 4)
    assert read("/upload", 81) == (413, 0), "nobody waits for far more"
    assert read("/echo", 24) == (413, 0)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "QUERY", "get", "\x00", "X" * 5000, ""])
@pytest.mark.parametrize("path", ["/upload", "/broken/..", "/" + "x" * 100_000, "//", "", "*", "/api/v1/cases/\x00"])
def test_odd_methods_and_paths_are_never_our_failure(method: str, path: str) -> None:
    _, sent = raw(application(), [chunk(0, more=False)], path=path, method=method)
    assert 400 <= sent[0]["status"] < 500


@pytest.mark.parametrize("host", [b"", b":", b"[", b"[::1", b"a b", b"\xff\xfe", b"x:99999999", b"//x/?#", b"h" * 9999])
def test_a_host_header_of_junk_is_never_our_failure(host: bytes) -> None:
    for path in (f"/api/v1/cases/{uuid4()}", "/nowhere", "/docs", "/openapi.json"):
        headers = [(b"host", host), (b"accept-language", b"\xff"), (b"content-type", b"\xff")]
        _, sent = raw(application(), [chunk(0, more=False)], path=path, method="GET", headers=headers)
        assert sent[0]["status"] < 500


@pytest.mark.parametrize("path", ["/broken", "/wrong-answer"])
def test_the_unforeseen_is_500_without_a_word_of_it_anywhere(path: str, lines: io.StringIO) -> None:
    answer = call(application(), "GET", path)
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    (line,) = told(lines, "internal_error")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["error_type"].split(".")[-1] in ("ZeroDivisionError", "ResponseValidationError")
    assert re.fullmatch(r"[\w/]+\.py:\d+", line["where"])
    assert MARKER not in lines.getvalue() + answer.text


def test_an_answer_that_breaks_half_way_is_logged_and_left_unfinished(lines: io.StringIO) -> None:
    _, sent = raw(application(), [chunk(0, more=False)], path="/breaks-later", method="GET")
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], sent[1]["more_body"]) == (200, True)
    assert len(told(lines, "internal_error")) == 1
    assert MARKER not in lines.getvalue()


def test_the_access_line_has_the_template_and_the_actor_but_neither_path_nor_query(
    lines: io.StringIO,
) -> None:
    case_id = str(uuid4())
    answer = call(application(), "GET", f"/api/v1/cases/{case_id}?phone={MARKER}")
    (line,) = told(lines, "request")
    assert line.pop("ms") >= 0
    assert line.pop("at").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "method": "GET",
        "route": "/api/v1/cases/{case_id}",
        "status": 200,
        "request_id": answer.headers["x-request-id"],
        "actor_id": "11111111-2222-4333-8444-555555555555",
    }


def test_unknown_paths_and_methods_leave_no_trace_of_what_was_asked(lines: io.StringIO) -> None:
    raw(application(), [], path=f"/{MARKER}", method=MARKER)
    (line,) = told(lines, "request")
    assert (line["route"], line["method"], line["status"]) == ("unmatched", "other", 404)
    assert MARKER not in lines.getvalue()
    assert MARKER.encode() not in bytes(metrics.metrics_response().body)


def test_what_is_logged_while_serving_carries_the_request_id(lines: io.StringIO) -> None:
    answer = call(application(), "POST", f"/api/v1/cases/{uuid4()}/notes", json={"text": MARKER})
    (line,) = told(lines, "note.written")
    assert line["request_id"] == answer.headers["x-request-id"]
    logs.log.info("outside")
    assert "request_id" not in told(lines, "outside")[0]
    assert MARKER not in lines.getvalue()


def test_the_log_drops_and_counts_what_is_not_on_its_list(lines: io.StringIO) -> None:
    before = metrics.REGISTRY.get_sample_value("samaki_log_keys_dropped_total") or 0
    logs.log.info("case.opened", case_id=uuid4(), count=1, name=MARKER, note={"a": MARKER})
    (line,) = told(lines, "case.opened")
    assert line["dropped"] == 2
    assert {"case_id", "count", "level", "at"} < set(line)
    assert metrics.REGISTRY.get_sample_value("samaki_log_keys_dropped_total") == before + 2
    assert MARKER not in lines.getvalue()


@pytest.mark.parametrize("value", ["សុខា", "Sokha Chan", {"name": "x"}, ["x"], b"x", "x" * 201, object(), "a\nb"])
def test_even_a_listed_key_takes_only_codes_ids_and_numbers(value: object, lines: io.StringIO) -> None:
    logs.log.info("case.opened", code=value)
    (line,) = told(lines, "case.opened")
    assert "code" not in line
    assert line["dropped"] == 1


def test_a_sentence_as_event_and_the_words_of_an_exception_never_show(lines: io.StringIO) -> None:
    logs.log.info(f"opened the case of {MARKER}")
    try:
        raise ValueError(MARKER)
    except ValueError as error:
        logs.log.exception("job.failed", worker="w1")
        logs.log.error("job.failed", exc_info=error)
        logging.getLogger("sqlalchemy.pool").exception("lost %s", MARKER)
    assert len(told(lines, "unnamed")) == 1
    failures = told(lines, "job.failed") + told(lines, "library.message")
    assert [line["error_type"] for line in failures] == ["builtins.ValueError"] * 3
    assert failures[2]["logger"] == "sqlalchemy.pool"
    assert not [line for line in failures if "dropped" in line]
    assert MARKER not in lines.getvalue()


def test_libraries_are_reduced_to_name_and_level_but_the_server_may_say_that_it_runs(
    lines: io.StringIO,
) -> None:
    logging.getLogger("sqlalchemy.engine").error("INSERT %s", MARKER)
    logging.getLogger("uvicorn.access").warning("GET /%s", MARKER)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application: %s", MARKER)
    logging.getLogger("httpx").info("GET %s", MARKER)
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 42)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(MARKER, stacklevel=1)
    heard = [(line["logger"], line["level"], line.get("message")) for line in told(lines, "library.message")]
    assert heard == [
        ("sqlalchemy.engine", "error", None),
        ("uvicorn.error", "error", None),
        ("uvicorn.error", "info", "Started server process [42]"),
        ("py.warnings", "warning", None),
    ]
    assert MARKER not in lines.getvalue()


def test_metrics_count_by_template_and_show_the_pool() -> None:
    app, labels = application(), {"route": "/api/v1/cases/{case_id}", "method": "GET", "status": "200"}
    before = metrics.REGISTRY.get_sample_value("samaki_http_requests_total", labels) or 0
    case_id = str(uuid4())
    call(app, "GET", f"/api/v1/cases/{case_id}")
    assert metrics.REGISTRY.get_sample_value("samaki_http_requests_total", labels) == before + 1
    assert metrics.REGISTRY.get_sample_value("samaki_http_in_progress") == 0
    metrics.watch_pool(QueuePool(lambda: None, pool_size=3))  # type: ignore[arg-type]  # never opened
    text = bytes(metrics.metrics_response().body).decode()
    assert 'samaki_db_pool_connections{state="used"} 0.0' in text
    assert "samaki_http_request_seconds_bucket" in text
    assert case_id not in text


@asynccontextmanager
async def served(app: FastAPI, http: type[Connection] = Connection) -> AsyncIterator[int]:
    """The application behind a real uvicorn on a free port.

    At the end it waits ten seconds for who still has a connection: a test that failed amid one has failed, and does not
    wait for itself.
    """
    config = uvicorn.Config(
        app,
        port=0,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        http=http,
        timeout_graceful_shutdown=10,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        await server.shutdown()


async def _talk(app: FastAPI, request: bytes, http: type[Connection] = Connection) -> bytes:
    """Sends bytes to a real server and reads until it closes the connection."""
    async with served(app, http) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), timeout=10)
        writer.close()
        await writer.wait_closed()
        return answer


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\nxx", b" 413 "),
        (b"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nxx", b" 408 "),
        (b"PUT /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nxxxxx\r\n", b" 408 "),
        (b"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n", b" 400 "),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 40_000 + b"\r\n\r\n", b" 400 "),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 40_000, b" 400 "),
        (b"no HTTP at all\r\n\r\n", b" 400 "),
        (b"GET /breaks-later HTTP/1.1\r\nHost: x\r\n\r\n", b" 200 "),
    ],
)
def test_over_a_real_socket_the_connection_is_closed_and_the_server_log_stays_clean(
    request_bytes: bytes, status: bytes, lines: io.StringIO
) -> None:
    answer = asyncio.run(_talk(application(body_seconds=0.05), request_bytes))
    assert status in answer.split(b"\r\n")[0]
    assert MARKER not in lines.getvalue() + answer.decode()


class Impatient(Connection):
    head_seconds = 0.05


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHo", b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET"]
)
def test_who_never_finishes_the_head_of_a_request_is_let_go(begun: bytes) -> None:
    answer = asyncio.run(_talk(application(), begun, Impatient))
    assert b" 408 " in answer
    assert b'"request_timeout"' in answer.splitlines()[-1]


def test_a_whole_head_in_pieces_is_understood() -> None:
    async def talk() -> bytes:
        async with served(application()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for piece in (b"GET /nowhere HT", b"TP/1.1\r\nHost: x\r\nConnec", b"tion: close\r\n\r\n"):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            answer = await reader.read()
            writer.close()
            return answer

    assert b" 404 " in asyncio.run(talk()).splitlines()[0]
