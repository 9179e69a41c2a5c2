"""The trail: one row for every answer and every refusal, or there is no answer (safety.md, Audit).

What a request shows or touches is noted where visibility is decided, and written last, in the same transaction. A
refusal rolls back; its row is written in a transaction of its own, with the ids as they were asked for.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import Scope

from app.db import run
from app.errors import SealedAway, Unavailable, to_problem
from app.logs import current_request_id, log
from app.models.audit import AuditKind
from app.security import Runtime
from app.tokens import Claims

# What is refused because of who asks or what is asked; not what is refused because of how much or how slowly.
REFUSALS = frozenset({401, 403, 404, 409, 412, 422})
BROKEN_SEAL = "seal_broken"  # an alarm: somebody has put a hand on the tables
BY_OPERATOR = "by_operator"  # from the machine's command line
SIGN_IN, RENEWAL, SESSION_ENDED, STRANGERS = "sign_in", "renew_session", "end_session", "count_strangers"

APPEND = """
    select append_audit_event(%(kind)s, %(action)s, %(status)s, %(reason)s, %(cases)s::uuid[], %(via)s::text[],
                              %(subject)s, %(request)s)
"""
APPEND_APART = """
    select append_audit_apart(%(session)s, %(clock)s, %(kind)s, %(action)s, %(status)s, %(reason)s, %(case)s,
                              %(subject)s, %(request)s, %(account)s, %(address)s, %(counted)s)
"""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is being done: the operation's id in the API's description, and what it is about."""

    action: str
    kind: AuditKind = AuditKind.ACCOUNT


@dataclass(slots=True)
class Asker:
    """Who asks, as far as that is known: claims of a token, or an address and the name that was typed."""

    host: str | None = None
    claims: Claims | None = None
    account: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)


def touched(session: AsyncSession, case_id: UUID, via: str) -> None:
    """Note that this request shows or changes a case, and how the caller reaches it; the last word counts."""
    session.info.setdefault("touched", {})[case_id] = str(via)


def because(session: AsyncSession, reason: str) -> None:
    """A code for the row of this request: why somebody looks, or what was searched by; never words."""
    session.info["because"] = reason


async def append(
    session: AsyncSession, deed: Deed, status: int, *, subject: UUID | None = None, reason: str | None = None
) -> None:
    """The row of this request, as the last thing in its transaction. 503 when it cannot be written."""
    if session.in_transaction():
        await session.flush()  # what waits for other rows waits before the head of the chain is held
    cases: dict[UUID, str] = session.info.get("touched", {})
    values = {
        "kind": deed.kind.value,
        "action": deed.action,
        "status": status,
        "reason": reason or session.info.get("because"),
        "cases": list(cases),
        "via": list(cases.values()),
        "subject": subject,
        "request": current_request_id(),
    }
    await _write(session, APPEND, values)


async def append_apart(
    runtime: Runtime,
    session: AsyncSession,
    deed: Deed,
    status: int,
    *,
    reason: str | None = None,
    session_id: UUID | None = None,
    account: str | None = None,
    address: str | None = None,
    asked: Mapping[str, Any] | None = None,
    counted: int = 1,
) -> None:
    """A row for who is not calling within `session`: sign-ins, and refusals after their transaction."""
    case_id, subject = ids_of(asked or {})
    values = {
        "session": session_id,
        "clock": runtime.database.clock() if runtime.database.clock else None,
        "kind": deed.kind.value,
        "action": deed.action,
        "status": status,
        "reason": reason,
        "case": case_id,
        "subject": subject,
        "request": current_request_id(),
        "account": None if account is None else runtime.keys.digest("audit-account", account.encode()),
        "address": None if address is None else runtime.keys.digest("audit-address", address.encode()),
        "counted": counted,
    }
    if session.in_transaction():
        await session.flush()
    await _write(session, APPEND_APART, values)


async def append_by_operator(session: AsyncSession, now: datetime, action: str, status: int, subject: UUID) -> None:
    """A row for what whoever runs the machine did from the command line: nobody signed in, so it has no actor."""
    await session.flush()
    values: dict[str, Any] = dict.fromkeys(("session", "case", "request", "account", "address"), None)
    told = {"kind": AuditKind.SETTINGS.value, "action": action, "status": status, "reason": BY_OPERATOR}
    await _write(session, APPEND_APART, {**values, **told, "clock": now, "subject": subject, "counted": 1})


def ids_of(asked: Mapping[str, Any]) -> tuple[UUID | None, UUID | None]:
    """The case and the innermost other thing that a path names, where what it names are ids."""
    found = {name: own_id for name, value in asked.items() if (own_id := as_id(str(value))) is not None}
    case_id = found.pop("case_id", None)
    return case_id, list(found.values())[-1] if found else None


def as_id(value: str) -> UUID | None:
    """The id that a text is, or None."""
    try:
        return UUID(value)
    except ValueError:
        return None


@asynccontextmanager
async def refusals_of(runtime: Runtime, scope: Scope, deed: Deed, asker: Asker) -> AsyncIterator[None]:
    """What the block refuses is in the trail before it is told; 503 when it cannot be."""
    try:
        yield
    except Exception as error:
        problem = to_problem(error, scope)
        alarm = isinstance(problem, SealedAway)
        if alarm or problem.status in REFUSALS or (problem.status == 429 and asker.account is not None):
            await refuse(runtime, deed, asker, problem.status, BROKEN_SEAL if alarm else problem.code)
        raise


async def refuse(runtime: Runtime, deed: Deed, asker: Asker, status: int, reason: str) -> None:
    """The row of one refusal, in a transaction of its own. Beyond a measure, those of strangers are only counted."""
    if asker.claims is None and not await runtime.strangers.has_room(asker.host or ""):
        return
    try:
        async with runtime.database.transaction() as session:
            await append_apart(
                runtime,
                session,
                deed,
                status,
                reason=reason,
                session_id=asker.claims.session if asker.claims else None,
                account=asker.account,
                address=None if asker.claims else asker.host,
                asked=asker.asked,
            )
    except (psycopg.Error, SQLAlchemyError) as error:
        log.error("audit.failed", exc_info=error)
        raise Unavailable from error


async def tell_counted(runtime: Runtime) -> None:
    """One row for each address whose refusals were only counted since the last call."""
    waiting = runtime.strangers.take()
    deed, reason = Deed(STRANGERS), "unauthenticated"
    try:
        while waiting:
            address, counted = waiting[-1]
            async with runtime.database.transaction() as session:
                await append_apart(runtime, session, deed, 401, reason=reason, address=address, counted=counted)
            waiting.pop()
    finally:
        runtime.strangers.give_back(waiting)


async def _write(session: AsyncSession, statement: str, values: Mapping[str, Any]) -> None:
    try:
        await run(session, statement, values)
    except psycopg.OperationalError:
        raise  # connections and locks: known as unavailable already, and the pool must hear of it
    except psycopg.Error as error:
        log.error("audit.failed", exc_info=error, code=error.sqlstate)
        raise Unavailable from error
