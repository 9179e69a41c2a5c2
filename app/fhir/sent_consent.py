"""The consent on which a client is sent, from a Consent: one that stands today, for who is asked, and says nothing that
nobody reads."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.calendar import day_of
from app.fhir.codes import OWN
from app.fhir.consent import Consent, ConsentState, Provision
from app.fhir.references import organisation_named
from app.fhir.sent_client import Place
from app.fhir.types import CodeableConcept, Extension

CONSENT_FORM, CONSENT_GIVEN_BY = f"{OWN}consent-form", f"{OWN}consent-given-by"
SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
ACTS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_AGREES = {SCOPES: {"treatment", "patient-privacy"}, ACTS: {"OPTIN"}}


def consent_of(consent: Consent, place: Place, receiver: UUID, sender: UUID, today: date) -> dict[str, Any]:
    """The `consent` of a `ReferralInCreate`; 422 for one that does not stand, or is for somebody or something else."""
    if consent.status is not ConsentState.ACTIVE:
        raise place.wrong("status", "not_allowed", "A referral is not sent with this.")
    _check_agrees(consent.scope, place, "scope")
    _check_agrees(consent.policyRule, place, "policyRule")
    kept_by = [organisation_named(one, f"{place.at}/organization") for one in consent.organization or ()]
    if any(one != sender for one in kept_by):
        raise place.wrong("organization", "not_allowed", "It is kept by who sends her.")
    provision = consent.provision or Provision()
    _check_provision(provision, place, receiver, today)
    ends = provision.period.end if provision.period else None
    return {
        **_extensions(consent.extension or [], place),
        **({"obtained_on": day_in(consent.dateTime)} if consent.dateTime else {}),
        **({"expires_on": day_in(ends)} if ends else {}),
    }


def places_of(place: Place) -> dict[str, str]:
    """By each pointer below `/consent` the place in the Bundle that it came from."""
    return {
        "/consent": place.at,
        "/consent/form": f"{place.at}/extension",
        "/consent/given_by": f"{place.at}/extension",
        "/consent/obtained_on": f"{place.at}/dateTime",
        "/consent/expires_on": f"{place.at}/provision/period",
    }


def day_in(written: str) -> str:
    """The day in Cambodia; a month or a year alone stays as it is, and is refused as no day."""
    return day_of(datetime.fromisoformat(written)).isoformat() if "T" in written else written


def _check_agrees(concept: CodeableConcept | None, place: Place, name: str) -> None:
    """Codes of other systems may stand there; of these two only the ones that say yes to care."""
    for one in (concept and concept.coding) or ():
        if one.system in _AGREES and one.code not in _AGREES[one.system]:
            raise place.wrong(name, "consent_required", "This is no consent to a referral.")


def _check_provision(provision: Provision, place: Place, receiver: UUID, today: date) -> None:
    if provision.type == "deny":
        raise place.wrong("provision/type", "consent_required", "This is no consent to a referral.")
    named = [organisation_named(one.reference, f"{place.at}/provision/actor") for one in provision.actor or ()]
    if named and receiver not in named:
        raise place.wrong("provision/actor", "consent_required", "The consent is for somebody else.")
    start = provision.period.start if provision.period else None
    if start is not None and _first_day(start) > today:
        raise place.wrong("provision/period", "in_the_future", "The consent has not begun yet.")


def _first_day(written: str) -> date:
    return date.fromisoformat((day_in(written) + "-01-01")[:10])


def _extensions(extensions: list[Extension], place: Place) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for one in extensions:
        name = {CONSENT_FORM: "form", CONSENT_GIVEN_BY: "given_by"}.get(one.url)
        if name is None:
            raise place.not_read("extension")
        if name in said:
            raise place.too_many("extension")
        said[name] = one.valueCode
    return said
