"""One HTTP/1.1 connection as uvicorn speaks it, with an end to its patience and problems as answers."""

import json
from asyncio import TimerHandle, Transport
from typing import Any
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.errors.problems import BadRequest, Problem, RequestTimeout
from app.errors.titles import title

MOST_HEAD_BYTES = 32_768  # request line and headers


class Connection(HttpToolsProtocol):
    """The head of a request must arrive whole in time, and not be larger than any that we ask for."""

    head_seconds = 20.0
    _late: TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """The clock of the first head begins to run."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes that do not finish the head count, so that nobody fills the memory with one header."""
        super().data_received(data)
        if self._late is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse(BadRequest())

    def on_message_begin(self) -> None:
        """The first byte of a request on this connection."""
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """The whole head; raises ValueError, which the parser takes for a malformed one, when it is too large."""
        self._head_is_here()
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > MOST_HEAD_BYTES:
            raise ValueError
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP gets a problem too."""
        self._refuse(BadRequest())

    def _expect_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.head_seconds, lambda: self._refuse(RequestTimeout()))

    def _head_is_here(self) -> None:
        if self._late is not None:
            self._late.cancel()
        self._late, self._head_bytes = None, 0

    def _refuse(self, problem: Problem) -> None:
        self._head_is_here()
        if self.transport.is_closing():
            return
        content: dict[str, Any] = problem.body(title=title(problem.code, "en"), instance=str(uuid4()))
        body = json.dumps(content).encode()
        head = [
            b"content-type: application/problem+json\r\ncache-control: no-store\r\nconnection: close\r\n",
            b"content-length: %d\r\n\r\n" % len(body),
        ]
        self.transport.write(b"".join([STATUS_LINE[problem.status], *head, body]))
        self.transport.close()
