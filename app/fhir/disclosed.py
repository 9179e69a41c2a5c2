"""The disclosed snapshot as a Patient: exactly the consented fields, under the referral's id."""

from collections.abc import Iterator

from app.fhir.codes import CONTACT_SUSPENDED, OWN, address_in, coding
from app.fhir.patient import Communication, Patient
from app.fhir.referrals import meta_of
from app.fhir.types import Address, CodeableConcept, Coding, ContactPoint, ContactSystem, Extension, HumanName, Part
from app.models.case import SafeContact
from app.models.codes.people import Language
from app.models.person import Disability, Phone
from app.models.referral_reads import Disclosed, PartnerRead

AGE, RISK_LEVEL, DISABILITY, SAFE_CONTACT = (
    f"{OWN}{name}" for name in ("age", "risk-level", "disability", "safe-contact")
)
LANGUAGES = "urn:ietf:bcp:47"


def patient_of(one: PartnerRead, told: Disclosed) -> Patient:
    """The Patient of a referral. What was asked for her is in the ServiceRequest, and only there."""
    return Patient(
        resourceType="Patient",
        id=str(one.id),
        meta=meta_of(one),
        extension=list(_extensions(one, told)) or None,
        name=[HumanName(text=told.name)] if told.name else None,
        telecom=[_telephone(phone) for phone in told.phone or ()] or None,
        gender=told.sex,
        address=_addresses(told),
        communication=[Communication(language=language_of(told.language))] if told.language else None,
    )


def _extensions(one: PartnerRead, told: Disclosed) -> Iterator[Extension]:
    if told.age is not None:
        yield Extension(url=AGE, valueInteger=told.age)
    if told.risk_level is not None:
        yield Extension(url=RISK_LEVEL, valueCode=told.risk_level.value)
    if told.disability is not None:
        yield Extension(url=DISABILITY, extension=list(_answers(told.disability)))
    if told.safe_contact is not None:
        yield Extension(url=SAFE_CONTACT, extension=list(_rules(told.safe_contact)))
    if one.contact_suspended:
        yield Extension(url=CONTACT_SUSPENDED, valueBoolean=True)


def _answers(disability: Disability) -> Iterator[Part]:
    for name, answer in disability:
        yield Part(url=name.replace("_", "-"), valueCode=answer.value)


def _rules(contact: SafeContact) -> Iterator[Part]:
    """When, how and by whom she may be reached; `do-not-contact` and `leave-message` are always said."""
    yield Part(url="do-not-contact", valueBoolean=contact.do_not_contact)
    yield Part(url="leave-message", valueBoolean=contact.leave_message)
    for channel in contact.channels:
        yield Part(url="channel", valueCode=channel.value)
    for day in contact.days:
        yield Part(url="day", valueInteger=int(day))
    said = {"from": contact.from_, "to": contact.to, "may-answer": contact.may_answer, "code": contact.code_phrase}
    for name, text in said.items():
        if text is not None:
            yield Part(url=name, valueString=str(text))
    if contact.last_confirmed_on is not None:
        yield Part(url="last-confirmed-on", valueDate=contact.last_confirmed_on.isoformat())


def _telephone(phone: Phone) -> ContactPoint:
    return ContactPoint(
        system=ContactSystem.PHONE,
        value=phone.number,
        extension=[
            Extension(url=f"{OWN}phone-owner", valueCode=phone.owner.value),
            Extension(url=f"{OWN}safe-to-call", valueBoolean=phone.safe_to_call),
        ],
    )


def _addresses(told: Disclosed) -> list[Address] | None:
    """The village lies in its commune: one address says both, by the longer code."""
    place = told.village or told.commune
    return [address_in(place)] if place else None


def language_of(language: Language) -> CodeableConcept:
    """A language by its tag, where it has one."""
    if language is Language.OTHER:
        return CodeableConcept(coding=[coding(language)])
    return CodeableConcept(coding=[Coding(system=LANGUAGES, code=language.value)])
