"""One request inside another: as the same caller, through the same router, and so through the same two walls."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

_KEPT = (b"authorization", b"accept-language", b"host")


async def ask_again(
    request: Request,
    method: str,
    path: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    replays: bool = False,
) -> Response:
    """The answer to `method path` in a transaction of its own; the present one, if any, must be over.

    `replays`: the trail is told that an earlier answer is only read again.
    """
    written = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    scope = {
        **{key: value for key, value in request.scope.items() if key not in {"path_params", "endpoint", "route"}},
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [*(pair for pair in request.scope["headers"] if pair[0] in _KEPT), *written],
        "state": {**request.scope["state"], "replays": replays},
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await request.app.router(scope, receive, send)
    start = sent[0]
    response = Response(b"".join(message.get("body", b"") for message in sent[1:]), start["status"])
    response.raw_headers = list(start["headers"])
    return response
