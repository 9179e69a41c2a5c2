"""The keys of referrals. A row, its key and a write are statements one after the other, and an exclusion, or the end of
an access, may come between them: then the referral is gone for the caller, and nothing is broken."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import psycopg
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import col

from app.errors import NotFound
from app.errors.database import sqlstate
from app.models.referral import Referral
from app.sealing import load_keys, ring_of

NOT_ALLOWED = "42501"  # SQLSTATE: no row policy, or no side of the referral, lets this be written


async def load_referral_keys(session: AsyncSession, rows: Sequence[Referral], cases: Iterable[UUID]) -> list[Referral]:
    """Take the keys of these rows, and of those `cases` that the caller reads in (each costs a look at its rights, and
    a partner has none); gives the rows that are there still. One without its own key that is seen all the same has
    lost it: opening it is a 503 with an alarm."""
    await load_keys(session, (*(row.id for row in rows), *cases))
    ring = ring_of(session)
    keyless = [row.id for row in rows if not ring.has(row.id)]
    if not keyless:
        return list(rows)
    seen = set((await session.scalars(select(col(Referral.id)).where(col(Referral.id).in_(keyless)))).all())
    return [row for row in rows if ring.has(row.id) or row.id in seen]


async def load_its_keys(session: AsyncSession, row: Referral) -> None:
    """The same of one; 404 when it has gone for the caller meanwhile."""
    if not await load_referral_keys(session, [row], [row.case_id]):
        raise NotFound


async def check_still_seen(session: AsyncSession, referral_id: object) -> None:
    """404 when it has gone for the caller meanwhile."""
    if await session.scalar(select(col(Referral.id)).where(col(Referral.id) == referral_id)) is None:
        raise NotFound


@contextmanager
def gone_meanwhile() -> Iterator[None]:
    """What the database refuses to write within the block, after the same caller was let in, is a 404."""
    try:
        yield
    except (psycopg.Error, SQLAlchemyError) as error:
        if sqlstate(error) == NOT_ALLOWED or isinstance(error, StaleDataError):
            raise NotFound from None
        raise
