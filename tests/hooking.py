"""Webhooks in tests: a receiver on a real socket of this machine, a partner with a webhook, and the worker's rounds."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg

from app.database_urls import DatabaseUrls
from app.db import Clock
from app.models.codes.people import OrganisationKind, Role
from app.models.organisation import Organisation
from app.policy import scopes_of_systems
from app.webhooks.connecting import Resolve
from app.webhooks.delivering import Deliverer
from app.webhooks.sending import Sender
from app.webhooks.signing import seal_of
from tests.cast import Cast, answered
from tests.referring import agreed, client_of, refer

REASONS = {200: "OK", 204: "No Content", 301: "Moved", 302: "Found", 410: "Gone", 429: "Too Many", 500: "Broken"}


@dataclass
class Message:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> Any:
        return json.loads(self.body)

    @property
    def status(self) -> str:
        status: str = self.told["data"]["status"]
        return status


@dataclass
class Receiver:
    """Answers each POST with what `answer` says of it; `delay` seconds late. Looks (HEAD) are `look`ed at only."""

    answer: Callable[[Message], int] = lambda _: 204
    delay: float = 0
    look: int = 405
    body: bytes = b""
    location: str = "http://127.0.0.1:1/"
    got: list[Message] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/samaki?of=clinic"

    def of(self, referral: Any) -> list[Message]:
        """What came about one referral."""
        return [one for one in self.got if one.told["data"]["referral_id"] == referral["id"]]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for as many requests as it brings."""
        self.connections += 1
        self.open.add(writer)
        try:
            while line := await reader.readline():
                headers = {}
                while (field_line := (await reader.readline()).decode().strip()) != "":
                    name, _, value = field_line.partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                writer.write(await self._answer(line.split()[0].decode(), Message(headers, body)))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def hang_up(self) -> None:
        """End what is still open, and wait until it is."""
        for writer in self.open:
            writer.transport.abort()
        while self.open:  # noqa: ASYNC110 (each in a task of the server's)
            await asyncio.sleep(0.001)

    async def _late(self) -> None:
        """Wait for the delay, or until the receiver ends."""
        began = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - began < self.delay:  # noqa: ASYNC110
            await asyncio.sleep(min(self.delay, 0.01))

    async def _answer(self, method: str, message: Message) -> bytes:
        status, body = self.look, b""
        if method == "POST":
            status, body = self.answer(message), self.body
            self.got.append(message)
            await self._late()
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Other')}\r\n"
        if 300 <= status < 400:
            head += f"Location: {self.location}\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def receiving(**how: Any) -> AsyncIterator[Receiver]:
    """A receiver while the block runs."""
    receiver = Receiver(**how)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", receiver.port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        receiver.delay = 0
        await receiver.hang_up()


@dataclass(frozen=True)
class Partner:
    """An organisation of its own with a person of it."""

    cast: Cast
    name: str
    organisation_id: str

    async def call(self, method: str, path: str, status: int, who: str | None = None, **request: Any) -> Any:
        """A call as its person, or as somebody else."""
        return answered(await self.cast.client(who or self.name).request(method, path, **request), status)

    async def hook(self, url: str, *events: str, status: int = 201) -> Any:
        wanted = {"url": url, "events": list(events) or ["referral.*"]}
        return await self.call("POST", "/webhooks", status, json=wanted)

    async def referred(self, case_id: str | None = None, **changes: Any) -> Any:
        """A referral to this partner."""
        of = case_id or await client_of(self.cast)
        await agreed(self.cast, of, organisation_id=self.organisation_id)
        made = await refer(self.cast, of, organisation_id=self.organisation_id, **changes)
        return {**made, "case_id": of}

    async def move(self, referral: Any, to: str, **more: Any) -> None:
        await self.call("POST", f"/referrals/{referral['id']}/transitions", 200, json={"to": to, **more})

    async def deliveries(self, hook: Any, who: str | None = None, **query: Any) -> list[Any]:
        page = await self.call("GET", f"/webhooks/{hook['id']}/deliveries", 200, who, params={"limit": 200, **query})
        items: list[Any] = page["items"]
        return items

    async def events(self, who: str | None = None, **query: Any) -> Any:
        return await self.call("GET", "/events", 200, who, params=query)


async def partner(cast: Cast, kind: OrganisationKind = OrganisationKind.HEALTH) -> Partner:
    """A new partner organisation with one person."""
    name = f"partner_{uuid4().hex[:8]}"
    row = Organisation.named(cast.clock(), name=name, name_km="ដៃគូ", kind=kind)
    async with cast.runtime.database.transaction() as session:
        session.add(row)
    cast.organisations[name] = row.id
    await cast.add(name, Role.PARTNER, name, [])
    return Partner(cast, name, str(row.id))


async def system_of(cast: Cast, of: Partner) -> str:
    """A system of the partner; gives its name in the cast."""
    name = f"system_{uuid4().hex[:8]}"
    await cast.add(name, Role.PARTNER, of.name, [])
    async with cast.runtime.database.transaction() as session:
        user = cast.users[name]
        user.system, user.confirmed_at = True, cast.clock()
        user.scopes = sorted(scope.value for scope in scopes_of_systems())
        await session.merge(user)
    return name


@dataclass
class Work:
    """The worker's rounds on a connection of the worker's role."""

    connection: psycopg.AsyncConnection[Any]
    cast: Cast
    clock: Clock | None

    async def round(self, *, within: float = 5, resolve: Resolve | None = None, demo: bool = True) -> None:
        """Send until nothing is due at this moment."""
        sender = Sender(demo=demo, at_once=64, resolve=resolve)
        deliverer = Deliverer(seal_of(self.cast.runtime.keys), sender, clock=self.clock, within=within)
        async with asyncio.timeout(30):  # a wrong wall may find something due for ever
            await deliverer.drain(self.connection, asyncio.Event())


def event_ids(messages: list[Message]) -> list[UUID]:
    """Of the events, in the order in which they came."""
    return [UUID(one.event_id) for one in messages]


@dataclass(frozen=True)
class There:
    """A partner whose webhook leads to a receiver, and a worker that sends."""

    clinic: Partner
    receiver: Receiver
    hook: Any
    work: Work

    @property
    def path(self) -> str:
        return f"/webhooks/{self.hook['id']}"


@asynccontextmanager
async def there(cast: Cast, database: DatabaseUrls) -> AsyncIterator[There]:
    """All of it while the block runs."""
    clinic = await partner(cast)
    async with (
        receiving() as receiver,
        await psycopg.AsyncConnection.connect(database.worker, autocommit=True) as connection,
    ):
        yield There(clinic, receiver, await clinic.hook(receiver.url), Work(connection, cast, cast.clock))
