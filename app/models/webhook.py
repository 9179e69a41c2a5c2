"""Webhooks of partners, what is on its way to them, and the same stream for who rather asks."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field as Rule
from pydantic import model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Column, ForeignKey, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Body, Moment, Patch, Read, Table, coded, optional
from app.models.case import Colleague

PENDING = text("status = 'pending'")


class ReferralEvent(StrEnum):
    """All that is told of a referral: the types of its events."""

    REQUESTED = "referral.requested"
    ACCEPTED = "referral.accepted"
    REJECTED = "referral.rejected"
    IN_PROGRESS = "referral.in_progress"
    ON_HOLD = "referral.on_hold"
    COMPLETED = "referral.completed"
    FAILED = "referral.failed"
    CANCELLED = "referral.cancelled"
    ENTERED_IN_ERROR = "referral.entered_in_error"
    APPOINTMENT = "referral.appointment"
    MESSAGE = "referral.message"
    CONTACT_CHANGED = "referral.contact_changed"
    SHARED = "referral.shared"
    OVERDUE = "referral.overdue"


Topic = ReferralEvent | Literal["referral.*"]
Topics = Annotated[list[Topic], Rule(min_length=1, max_length=20)]
HookUrl = Annotated[str, Rule(min_length=1, max_length=500)]


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"  # sent as often as it is; until somebody asks for it again


class SendProblem(StrEnum):
    """Why an attempt has no status."""

    ADDRESS = "address_refused"  # it leads where no webhook may
    NAME = "name_not_found"
    CONNECTION = "connection_failed"
    TIMEOUT = "timed_out"


class StoppedBecause(StrEnum):
    GONE = "gone"  # the receiver answered 410
    KEEPER_LEFT = "keeper_left"


class Webhook(Table, table=True):
    """Sends what its keeper may know: whoever made it or last changed it, a person of the organisation.

    `sealed` is the secret, `previous_sealed` the one before it, which signs too until `previous_until` (None: until the
    next rotation). `stopped_because` says why it is not active when nobody has said so.
    """

    __tablename__ = "webhooks"
    __table_args__ = (Index("ix_webhooks_keeper", "keeper_id"),)

    organisation_id: UUID = Field(foreign_key="organisations.id", index=True)
    created_by: UUID = Field(foreign_key="users.id")
    keeper_id: UUID = Field(foreign_key="users.id")
    url: str = Field(max_length=500)
    events: list[str] = Field(sa_column=Column(ARRAY(String()), nullable=False))
    active: bool = True
    stopped_because: StoppedBecause | None = Field(default=None, sa_type=coded(StoppedBecause))
    sealed: bytes
    previous_sealed: bytes | None = None
    previous_until: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class WebhookDelivery(SQLModel, table=True):
    """One event on its way to one webhook, written in the transaction of the event itself.

    `place` orders the events of one referral. `claim` and `lease_until`: a worker is sending it just now; what a worker
    that died was sending is anybody's again afterwards. `case_id` is for the row policies and for erasure alone.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_id", name="one_delivery"),
        Index("ix_webhook_deliveries_page", "webhook_id", text("created_at DESC"), text("id DESC")),
        Index("ix_webhook_deliveries_due", "organisation_id", "next_attempt_at", postgresql_where=PENDING),
        Index("ix_webhook_deliveries_order", "webhook_id", "referral_id", "place", "id", postgresql_where=PENDING),
        Index("ix_webhook_deliveries_done", "delivered_at", postgresql_where=text("status = 'delivered'")),
        Index("ix_webhook_deliveries_dead", "webhook_id", postgresql_where=text("status = 'dead'")),
        Index("ix_webhook_deliveries_claimed", "organisation_id", postgresql_where=text("claim IS NOT NULL")),
        Index("ix_webhook_deliveries_case", "case_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    webhook_id: UUID = Field(sa_column=Column(ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False))
    organisation_id: UUID  # the webhook's, not the case's
    case_id: UUID
    event_id: UUID = Field(foreign_key="events.id")
    referral_id: UUID
    type: str = Field(max_length=60)
    place: int
    status: DeliveryStatus = Field(default=DeliveryStatus.PENDING, sa_type=coded(DeliveryStatus))
    attempts: int = 0
    next_attempt_at: datetime = Field(sa_type=TIMESTAMP)
    claim: UUID | None = None
    lease_until: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    last_status_code: int | None = Field(default=None, sa_type=SmallInteger)
    last_problem: SendProblem | None = Field(default=None, sa_type=coded(SendProblem))
    delivered_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    created_at: datetime = Field(sa_type=TIMESTAMP)


class WebhookCreate(Body):
    url: HookUrl
    events: Topics


class WebhookUpdate(Patch):
    url: HookUrl = optional()
    events: Topics = optional()
    active: bool = optional()


class SecretRotation(Body):
    """`old_valid_until` left out: a day. The old secret ends then, or at the next rotation."""

    old_valid_until: Moment | None = None


class Redelivery(Body):
    """Exactly one of: one event, all that happened since a time, all that is dead."""

    event_id: UUID | None = None
    since: Moment | None = None
    dead: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(one is not None for one in (self.event_id, self.since, self.dead)) != 1:
            raise PydanticCustomError("one_of", "Exactly one of event_id, since and dead.")
        return self


class WebhookRead(Read):
    """Without its secret, which nobody can read again. `old_secret_valid_until`: of the one before."""

    id: UUID
    url: str
    events: list[Topic]
    active: bool
    stopped_because: StoppedBecause | None
    keeper: Colleague
    old_secret_valid_until: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class WebhookSecret(WebhookRead):
    """The only answer that ever holds the secret."""

    secret: str


class DeliveryRead(Read):
    """What was tried and what came of it: a status, or why there was none. Nothing of what the receiver said."""

    id: UUID
    event_id: UUID
    type: ReferralEvent
    referral_id: UUID
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    last_status_code: int | None
    last_problem: SendProblem | None
    delivered_at: datetime | None
    created_at: datetime


class Redelivered(Read):
    """How many events are to be sent again."""

    queued: int


class EventData(Read):
    referral_id: UUID
    status: str


class EventRead(Read):
    """The body of a webhook with the id that stands in its `webhook-id`."""

    id: UUID
    type: ReferralEvent
    timestamp: datetime
    data: EventData


class EventPage(Read):
    """`next_cursor` goes on after these, now or whenever more has happened; null while nothing has ever happened."""

    items: list[EventRead]
    next_cursor: str | None
