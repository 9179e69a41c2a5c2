"""A client whom a partner sends to an organisation that takes the case."""

from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from pydantic import model_validator

from app.models.area import PlaceCode, VillageCode
from app.models.base import Body, Day, wrong
from app.models.case import SafeContact
from app.models.codes.cases import Category, Priority
from app.models.codes.consents import ConsentForm, ConsentGivenBy
from app.models.person import PersonCreate
from app.text import LongText

# The partner's own number of it. It may stand in an address, so it is no name and no phone: letters, digits, marks.
ExternalId = Annotated[str, Rule(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")]


class ReferralInConsent(Body):
    """That the client agrees to be referred to this organisation; without it there is no intake."""

    given_by: ConsentGivenBy = ConsentGivenBy.CLIENT
    form: ConsentForm
    obtained_on: Day
    expires_on: Day | None = None

    @model_validator(mode="after")
    def consistent(self) -> "ReferralInConsent":
        if self.expires_on is not None and self.expires_on < self.obtained_on:
            raise wrong("expires_on", "expires_before_obtained", "A consent cannot end before it was given.")
        return self


class ReferralInCreate(Body):
    organisation_id: UUID
    category: Category
    commune_code: PlaceCode
    village_code: VillageCode | None = None
    client: PersonCreate
    safe_contact: SafeContact | None = None
    consent: ReferralInConsent
    priority: Priority = Priority.ROUTINE
    need_summary: LongText
    external_id: ExternalId
