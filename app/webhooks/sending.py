"""Sending one message, and what came of it. Of the answer only the status counts, and nothing else is kept."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import httpcore

from app.models.webhook import SendProblem
from app.webhooks.addresses import Address, AddressRefused
from app.webhooks.connecting import CheckedBackend, NameNotFound, Resolve, SystemResolver

TIMEOUT_SECONDS = 15.0
LOOK_SECONDS = 3.0
AGENT = {"User-Agent": "Samaki-Webhooks/1"}
# A receiver may finish a short answer; a longer one is cut off.
MOST_BODY_BYTES = 2048
BODY_SECONDS = 0.5
RESOLVERS = 32


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one attempt: a status of HTTP, or why there is none."""

    status: int | None = None
    problem: SendProblem | None = None

    @property
    def arrived(self) -> bool:
        """Only 2xx says that the receiver has it; a redirect is not followed."""
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Sends to addresses of the public internet, `at_once` at a time; in a `demo` also to this machine.

    Every message has a connection of its own, so that every message goes where the name leads now.
    """

    def __init__(self, *, demo: bool, at_once: int, resolve: Resolve | None = None) -> None:
        self._demo, self._places = demo, asyncio.Semaphore(at_once)
        self._tls = httpcore.default_ssl_context()
        find = resolve or SystemResolver(min(at_once, RESOLVERS))
        self._public, self._home = CheckedBackend(find, loopback=False), CheckedBackend(find, loopback=True)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, within: float = TIMEOUT_SECONDS) -> Sent:
        """Post `body`, at most `within` seconds from now until the status is there. Raises nothing of the network's."""
        return await self._ask("POST", url, {**AGENT, **headers}, body, within)

    async def look(self, url: str) -> Sent:
        """An empty, unsigned HEAD request, before an address is taken: where does it lead?"""
        return await self._ask("HEAD", url, AGENT, b"", LOOK_SECONDS)

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes, within: float) -> Sent:
        try:
            address = Address.read(url, demo=self._demo)
            async with asyncio.timeout(within), self._places:
                return await self._status(method, address, headers, body)
        except AddressRefused:
            return Sent(problem=SendProblem.ADDRESS)
        except NameNotFound:
            return Sent(problem=SendProblem.NAME)
        except (TimeoutError, httpcore.TimeoutException):
            return Sent(problem=SendProblem.TIMEOUT)
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
            return Sent(problem=SendProblem.CONNECTION)

    async def _status(self, method: str, address: Address, headers: Mapping[str, str], body: bytes) -> Sent:
        place = httpcore.URL(scheme=address.scheme, host=address.host, port=address.port, target=address.target)
        named = {"Host": address.named, "Connection": "close", **headers}
        connection = httpcore.AsyncHTTPConnection(
            place.origin, ssl_context=self._tls, network_backend=self._home if address.loopback else self._public
        )
        async with connection, connection.stream(method, place, headers=list(named.items()), content=body) as answer:
            await _pass_over(answer)
            return Sent(status=answer.status)


async def _pass_over(answer: httpcore.Response) -> None:
    """The status is known: whatever happens to the rest of the answer changes nothing."""
    read = 0
    with suppress(TimeoutError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(BODY_SECONDS):
            async for part in answer.aiter_stream():
                read += len(part)
                if read > MOST_BODY_BYTES:
                    return
