"""Public operations that ask the database: counted by address, in a transaction that belongs to nobody."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.security import runtime_of
from app.services.sign_in import throttled_address


async def count_visit(request: Request) -> None:
    """Count one request of an address without an account; 429 beyond the limit."""
    host = request.client.host if request.client else None
    await runtime_of(request).visits.count(throttled_address(host))


async def _visit(request: Request) -> AsyncIterator[AsyncSession]:
    async with runtime_of(request).database.transaction() as session:
        yield session


# Without the settings of a caller the row policies show nothing of any case (app/db.py).
Visit = Annotated[AsyncSession, Depends(_visit, scope="function")]
