"""A lean HTTP/1.1 client for load: keep-alive, one connection per simulated user, latencies of every request."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Request = tuple[str, str, bytes]  # method, path, body


@dataclass
class Measured:
    """Latencies in milliseconds, and what came back."""

    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0.0
    refused: dict[int, int] = field(default_factory=dict)
    body_bytes: int = 0

    @property
    def rate(self) -> float:
        """Good answers per second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def drive(port: int, token: str, next_request: Callable[[], Request], clients: int, seconds: float) -> Measured:
    """`clients` connections, each sending its next request when the last is answered, for `seconds`."""
    measured = Measured()
    until = time.perf_counter() + seconds
    began = time.perf_counter()
    await asyncio.gather(*(_one(port, token, next_request, until, measured) for _ in range(clients)))
    measured.seconds = time.perf_counter() - began
    return measured


async def _one(port: int, token: str, next_request: Callable[[], Request], until: float, into: Measured) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(_bytes(next_request(), token))
            status, body = await _answer(reader)
            if status < 300:
                into.milliseconds.append((time.perf_counter() - began) * 1000)
                into.body_bytes = len(body)
            else:
                into.refused[status] = into.refused.get(status, 0) + 1
    finally:
        writer.close()


async def get_json(port: int, token: str, path: str) -> dict[str, object]:
    """One GET, parsed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_bytes(("GET", path, b""), token))
    status, body = await _answer(reader)
    writer.close()
    assert status == 200, f"{path} answered {status}"
    answer: dict[str, object] = json.loads(body)
    return answer


def _bytes(request: Request, token: str) -> bytes:
    method, path, body = request
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: bench",
        f"Authorization: Bearer {token}",
        "If-Match: *",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return int(head[9:12]), await reader.readexactly(length)
