"""Rows of the running service itself: answers kept for repeated requests, and the worker's sign of life."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.base import TIMESTAMP


class IdempotencyKey(SQLModel, table=True):
    """One answered POST: what was asked (keyed hash) and where the answer can be read again; never a body."""

    __tablename__ = "idempotency_keys"

    actor_id: UUID = Field(primary_key=True, foreign_key="users.id")
    key: str = Field(primary_key=True, max_length=200)
    digest: bytes
    status: int | None = None
    location: str | None = None
    created_at: datetime = Field(sa_type=TIMESTAMP, index=True)


class WorkerHeartbeat(SQLModel, table=True):
    __tablename__ = "worker_heartbeats"

    name: str = Field(primary_key=True)
    seen_at: datetime = Field(sa_type=TIMESTAMP)
