"""No body is read further than its limit, nor waited for longer than its deadline."""

import asyncio
import re
from contextlib import suppress
from typing import NoReturn

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BadRequest, PayloadTooLarge, Problem, RequestTimeout, problem_response

MOST_HEARD_OUT = 8  # times the limit, of a message that another system sends


class BodyLimit:
    """Refuses a body that is announced or grows too large (413), or comes too slowly (408).

    `ordinary` and `uploads` are (bytes, seconds); a path matching `upload_paths` in full has the latter. Who sends too
    much to one matching `message_paths` may finish, to hear why it is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        ordinary: tuple[int, float],
        uploads: tuple[int, float],
        upload_paths: re.Pattern[str] | None,
        message_paths: re.Pattern[str] | None = None,
    ) -> None:
        self.app = app
        self.ordinary = ordinary
        self.uploads = uploads
        self.upload_paths = upload_paths
        self.message_paths = message_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        upload = self.upload_paths is not None and self.upload_paths.fullmatch(scope["path"])
        limit, seconds = self.uploads if upload else self.ordinary
        if refusal := _refuse_announced(scope, limit):
            message = self.message_paths is not None and self.message_paths.fullmatch(scope["path"])
            if (upload or message) and isinstance(refusal, PayloadTooLarge):
                await _let_finish(scope, receive, limit * (2 if upload else MOST_HEARD_OUT), seconds)
            await problem_response(refusal, scope)(scope, receive, send)
            return
        body = _Body(scope, receive, send, limit, seconds)
        await self.app(scope, body.receive, body.send)


def _refuse_announced(scope: Scope, limit: int) -> Problem | None:
    """What Content-Length alone is enough to refuse."""
    lengths = Headers(scope=scope).getlist("content-length")
    if not lengths:
        return None
    if len(lengths) > 1 or not re.fullmatch(r"[0-9]+", lengths[0]):
        return BadRequest()
    digits = lengths[0].lstrip("0")
    return PayloadTooLarge() if len(digits) > 18 or int(digits or "0") > limit else None


async def _let_finish(scope: Scope, receive: Receive, most: int, seconds: float) -> None:
    """Take a body that is somewhat too large, and throw it away part by part.

    Browsers and most clients look for an answer when they have sent everything; closed before, they see a broken
    network and send it again. Who asks first (`Expect`) is told at once, as is who announces far more.
    """
    headers = Headers(scope=scope)
    if "expect" in headers or len(headers["content-length"]) > 18 or int(headers["content-length"]) > most:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive()).get("more_body", False):
                pass


class _Body:
    """One body being read, and the refusal that stands once a limit is passed."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: int, seconds: float) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._limit, self._seconds = limit, seconds
        self._until: float | None = None
        self._size = 0
        self._complete = self._started = False
        self._refusal: Problem | None = None

    async def receive(self) -> Message:
        """The next part; the clock starts with the first, so waiting for our own database is not counted."""
        if self._complete:  # what comes now is the disconnection, whenever it may be
            return await self._receive()
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            self._refuse(RequestTimeout())
        self._size += len(message.get("body", b""))
        if self._size > self._limit:
            self._refuse(PayloadTooLarge())
        self._complete = not message.get("more_body", False)
        return message

    def _refuse(self, refusal: Problem) -> NoReturn:
        self._refusal = refusal
        raise refusal

    async def send(self, message: Message) -> None:
        """Replaces the answer to a refused body: FastAPI makes a 400 of any exception while reading one."""
        if self._refusal is None or self._started:
            self._started = self._started or message["type"] == "http.response.start"
            await self._send(message)
        elif message["type"] == "http.response.start":
            await problem_response(self._refusal, self._scope)(self._scope, self._receive, self._send)
