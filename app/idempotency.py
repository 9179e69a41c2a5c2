"""Idempotency-Key: the same POST twice is one write, and the second answer is read anew under present rights."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from app.errors import IdempotencyKeyReused, InProgress, Invalid, NotFound, Unavailable
from app.models.service_rows import IdempotencyKey
from app.same_caller import ask_again
from app.security import Actor, runtime_of

MAX_KEY = 200

TRY_LOCK = text("select pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
FIND = text("select digest, status, location from idempotency_keys where actor_id = :actor and key = :key")


@dataclass(frozen=True, slots=True)
class KeyedPost:
    """One POST with a key: never seen before (`earlier_status` None), or already answered."""

    key: str
    digest: bytes
    earlier_status: int | None = None
    earlier_location: str | None = None

    @classmethod
    async def claim(cls, request: Request, session: AsyncSession, actor: Actor) -> Self | None:
        """None without the header. 409 while the same key still runs, 422 for the same key with another body."""
        key = request.headers.get("idempotency-key")
        if key is None or request.method != "POST" or actor.is_nobody:
            return None  # who owes something first has no rows; what is left to them may be repeated as it is
        if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
            raise Invalid.at("/header/idempotency-key", "key_invalid", "1 to 200 printable characters.")
        upload = getattr(request.state, "upload", None)  # hashed while it came: it is nowhere in one piece
        body = await request.body() if upload is None else upload.digest
        asked = b"\0".join((request.method.encode(), request.url.path.encode(), body))
        digest = runtime_of(request).keys.digest("idempotency", asked)
        # The lock only answers quickly; that one key is one write rests on the primary key of the table.
        if not (await session.execute(TRY_LOCK, {"name": f"idempotency {actor.id} {key}"})).scalar_one():
            raise InProgress
        found = (await session.execute(FIND, {"actor": actor.id, "key": key})).one_or_none()
        if found is None:
            return cls(key, digest)
        if bytes(found.digest) != digest:
            raise IdempotencyKeyReused
        return cls(key, digest, found.status, found.location)

    def remember(self, session: AsyncSession, actor: Actor, response: Response) -> None:
        """Keep status and place of the answer, in the transaction of the write itself."""
        location = response.headers.get("location") or response.headers.get("content-location")
        session.add(
            IdempotencyKey(
                actor_id=actor.id,
                key=self.key,
                digest=self.digest,
                status=response.status_code,
                location=location,
                created_at=actor.now,
            )
        )

    async def replay(self, request: Request) -> Response:
        """The same status again, with the resource as the caller may read it now, else 404."""
        if self.earlier_location is None:
            return Response(status_code=self.earlier_status or 204, headers={"Idempotency-Replayed": "true"})
        answer = await ask_again(request, "GET", self.earlier_location, replays=True)
        if answer.status_code >= 500:
            raise Unavailable
        if answer.status_code >= 400:
            raise NotFound
        answer.status_code = self.earlier_status or answer.status_code
        answer.headers["Location"] = self.earlier_location
        answer.headers["Idempotency-Replayed"] = "true"
        return answer
