"""The thin layers around every request: its id, its line in the log, its headers, and the last net."""

import re
from time import perf_counter
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from app import metrics
from app.errors import answer
from app.logs import AlreadyTold, expect_unfinished, log

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Anything freer would carry a name or a phone number into the log and the trail.
_REQUEST_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
_CLIENT_LEFT = 499  # no answer was begun; nginx's number, in logs and metrics only

_SECURITY = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_CSP_NAME = b"content-security-policy"
_CSP = b"default-src 'none'; frame-ancestors 'none'"
# The API page runs its own script and style from this server, some of it inline.
_DOCS_CSP = (
    b"default-src 'none'; connect-src 'self'; font-src 'self'; img-src 'self' data:;"
    b" script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
)
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


class RequestId:
    """Takes an X-Request-ID that is a UUID or 32 hex digits, else makes one.

    It is in `scope["state"]["request_id"]`, in the logs and in the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else str(uuid4())
        scope.setdefault("state", {})["request_id"] = request_id

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        with bound_contextvars(request_id=request_id):
            await self.app(scope, receive, tell)


class AccessLog:
    """One line and one measurement per request: the route's template, never the path, never the query."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = _CLIENT_LEFT, perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with metrics.in_progress.track_inprogress():
            try:
                await self.app(scope, receive, watch)
            finally:
                _tell(scope, status, perf_counter() - began)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    route = route_template(scope)
    method = scope["method"] if scope["method"] in METHODS else "other"
    metrics.requests.labels(route, method, status).inc()
    metrics.seconds.labels(route, method).observe(seconds)
    actor_id = scope["state"].get("actor_id")
    log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), actor_id=actor_id)


def route_template(scope: Scope) -> str:
    """`/api/v1/cases/{case_id}`; "unmatched" where no route was found."""
    # FastAPI leaves the included router's own path in scope["route"]; the full one is beside it.
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    path = getattr(route, "path", None)
    return path if isinstance(path, str) else "unmatched"


class AnswerHeaders:
    """Adds no-store and the security headers to every answer that did not set its own."""

    def __init__(self, app: ASGIApp, docs_paths: frozenset[str]) -> None:
        self.app = app
        self.docs_paths = docs_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        policy = _DOCS_CSP if scope["path"] in self.docs_paths else _CSP
        wanted = [*_SECURITY, (_CSP_NAME, policy)]
        if scope["scheme"] == "https":
            wanted.append(_HSTS)

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in wanted if pair[0] not in own)]
            await send(message)

        await self.app(scope, receive, add)


class LastNet:
    """Answers whatever no handler took, so that no exception reaches the server's log with values in it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except ClientDisconnect:
            return
        except AlreadyTold:
            expect_unfinished()  # the server closes the connection
        except Exception as error:
            response = await answer(Request(scope), error)
            if not started:  # else the server sees an unfinished answer and closes the connection
                await response(scope, receive, send)
