"""Connections of webhooks: the name is resolved once, the addresses are checked, and one of them is called."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpcore

from app.webhooks.addresses import AddressRefused, check_resolved

# The resolved addresses of a host, at least one. Raises OSError when there are none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
MOST_TRIED = 3


class NameNotFound(Exception):  # noqa: N818 - a state of the address
    """The host has no address now."""


class SystemResolver:
    """The system's resolver in threads of its own. Who asks for a name that is being asked for waits for that answer: a
    name server that takes its time holds one thread, however much is to be sent there."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")
        self._asked: dict[tuple[str, int], asyncio.Future[Any]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Each address once, in the system's order."""
        place = (host, port)
        if place not in self._asked:
            ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            self._asked[place] = asyncio.get_running_loop().run_in_executor(self._threads, ask)
            self._asked[place].add_done_callback(partial(self._answered, place))
        found = await asyncio.shield(self._asked[place])  # whose time is over leaves the others their answer
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    def _answered(self, place: tuple[str, int], answer: asyncio.Future[Any]) -> None:
        del self._asked[place]
        if not answer.cancelled():
            answer.exception()  # looked at, also when nobody waits any more


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """How httpcore connects here. TLS is then made for the name, by httpcore: the certificate must be the name's."""

    def __init__(self, resolve: Resolve, *, loopback: bool) -> None:
        self._resolve, self._loopback = resolve, loopback
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's interface)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises AddressRefused when any address of the host is one that must not be reached: one is a trap."""
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise NameNotFound from None
        for address in addresses:
            check_resolved(address, loopback=self._loopback)
        for address in addresses[:MOST_TRIED]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        raise httpcore.ConnectError

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """No webhook leads to a file."""
        raise AddressRefused

    async def sleep(self, seconds: float) -> None:
        """As everywhere."""
        await asyncio.sleep(seconds)
