"""What each side reads of a referral: the sender all of it, the recipient little before it has said yes."""

from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from pydantic import Field as Rule
from pydantic import GetJsonSchemaHandler, SerializerFunctionWrapHandler, model_serializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from app.models.base import Read
from app.models.case import Colleague, SafeContact
from app.models.codes.cases import Priority, RiskLevel
from app.models.codes.consents import SharedField
from app.models.codes.people import Language, Sex
from app.models.codes.referrals import (
    ReferralBusinessStatus,
    ReferralOutcome,
    ReferralReason,
    ReferralStatus,
    Sector,
    ServiceType,
)
from app.models.person import Disability, Phone
from app.models.service import ServiceWarning


class Party(Read):
    """One of the two organisations."""

    id: UUID
    name: str


class ReferralFace(Read):
    """What both sides read at all times. `direction` is the reader's. `service_type` is null where the recipient may
    know only the sector; `status_reason` is what the recipient said to its last step."""

    id: UUID
    code: str
    direction: Literal["incoming", "outgoing"]
    sender: Party
    recipient: Party
    sector: Sector
    service_type: ServiceType | None
    service_id: UUID | None
    province_code: str
    priority: Priority
    status: ReferralStatus
    business_status: ReferralBusinessStatus | None
    appointment_at: datetime | None
    reason_code: ReferralReason | None
    outcome_code: ReferralOutcome | None
    status_reason: str | None
    due_at: datetime
    overdue: bool
    answered_at: datetime | None
    ended_at: datetime | None
    contact_suspended: bool
    version: int
    created_at: datetime
    updated_at: datetime


class ReferralSummary(ReferralFace):
    """A row of a list, for who sees the case."""

    case_id: UUID


class ReferralRead(ReferralSummary):
    """For who sees the case."""

    shared_fields: list[SharedField]
    reason: str | None
    message: str | None
    requested_by: Colleague
    warnings: list[ServiceWarning]


class PartnerSummary(ReferralFace):
    """A row of a list, for the other organisation: nothing of the case. `external_id` is the partner's own."""

    external_id: str | None


class Disclosed(Read):
    """The consented fields and no others: each is there because the client agreed to it, be it null."""

    name: str | None = None
    sex: Sex | None = None
    age: int | None = None
    phone: list[Phone] | None = None
    safe_contact: SafeContact | None = None
    village: str | None = None
    commune: str | None = None
    language: Language | None = None
    disability: Disability | None = None
    need_summary: str | None = None
    risk_level: RiskLevel | None = None

    @model_serializer(mode="wrap")
    def _only_what_was_agreed_to(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if name in self.model_fields_set}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = {name: part for name, part in schema.items() if name != "serialization"}
        return handler(cast("CoreSchema", described))  # as what it holds, not as any object


class PartnerRead(PartnerSummary):
    """For the other organisation; the last three are null before the yes and once the disclosure has closed."""

    commune_code: str | None
    message: str | None
    disclosed: Disclosed | None = Rule(json_schema_extra={"description": "Only the fields that were agreed to."})


class Opening(Read):
    """One time that somebody of the recipient had the disclosed fields before them."""

    at: datetime
    user: Colleague
    organisation_id: UUID | None


class ReceiptRead(Read):
    """The disclosure receipt: what was told, to whom, when it was opened, and since when it is closed."""

    referral_id: UUID
    code: str
    recipient: Party
    shared_fields: list[SharedField]
    shared_at: datetime
    contact_suspended_at: datetime | None
    open: bool
    openings: list[Opening]


class MessageRead(Read):
    id: UUID
    from_recipient: bool
    author: Colleague
    text: str
    created_at: datetime
