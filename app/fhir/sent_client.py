"""The client whom a partner sends, from a Patient: names, how she may be reached, where she lives."""

import re
from dataclasses import dataclass
from typing import Any

from app.errors import Invalid
from app.fhir.codes import AREA_CODE, LISTS, OWN
from app.fhir.disclosed import DISABILITY, LANGUAGES, SAFE_CONTACT
from app.fhir.patient import Communication, Patient
from app.fhir.types import (
    Address,
    AddressUse,
    ContactPoint,
    ContactSystem,
    ContactUse,
    Extension,
    HumanName,
    NameUse,
    Part,
)
from app.models.codes.incidents import DatePrecision
from app.models.codes.people import Language

PHONE_OWNER, SAFE_TO_CALL = f"{OWN}phone-owner", f"{OWN}safe-to-call"
_KHMER = re.compile("[\u1780-\u17b3]")
_PRECISION = {4: ("-01-01", DatePrecision.YEAR), 7: ("-01", DatePrecision.MONTH), 10: ("", DatePrecision.DAY)}
_ONE_RULE = {
    "do-not-contact": "do_not_contact",
    "leave-message": "leave_message",
    "from": "from",
    "to": "to",
    "may-answer": "may_answer",
    "code": "code_phrase",
    "last-confirmed-on": "last_confirmed_on",
}
_MANY_RULES = {"channel": "channels", "day": "days"}


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the Bundle, for what is wrong below it."""

    at: str

    def wrong(self, name: str, code: str, message: str) -> Invalid:
        """422 at an element of it."""
        return Invalid.at(f"{self.at}/{name}", code, message)

    def not_read(self, name: str) -> Invalid:
        """422 for what nobody would read."""
        return self.wrong(name, "not_supported", "This is not read in what is sent in.")

    def too_many(self, name: str) -> Invalid:
        """422 for what is said more than once: nobody could say which was meant."""
        return self.wrong(name, "too_many", "There are too many items.")


@dataclass(frozen=True, slots=True)
class SentClient:
    """`client`, `commune_code`, `village_code` and `safe_contact` of a `ReferralInCreate`, and where they came from."""

    values: dict[str, Any]
    places: dict[str, str]


def client_of(patient: Patient, place: Place) -> SentClient:
    """What is taken of a Patient. Her identifiers in other systems are not kept: nobody here needs them."""
    disability, contact = _extensions(patient.extension or [], place)
    code, written = _address(patient.address or [], place)
    client = {
        **_names(patient.name or [], place),
        **_birth(patient.birthDate),
        "sex": patient.gender,
        "phones": [_phone(one, place) for one in patient.telecom or ()],
        "language": _language(patient.communication or [], place),
        "disability": disability,
        "address": written,
        "village_code": code if code and len(code) == 8 else None,
    }
    values = {
        "client": {name: value for name, value in client.items() if value is not None},
        "commune_code": code and code[:6],
        "village_code": client["village_code"],
        "safe_contact": contact,
    }
    places = {
        "/client": f"{place.at}/name",
        "/client/phones": f"{place.at}/telecom",
        "/client/birth_date": f"{place.at}/birthDate",
        "/client/disability": f"{place.at}/extension",
        "/client/address": f"{place.at}/address",
        "/client/village_code": f"{place.at}/address",
        "/commune_code": f"{place.at}/address",
        "/village_code": f"{place.at}/address",
        "/safe_contact": f"{place.at}/extension",
    }
    return SentClient(values, places)


def _names(names: list[HumanName], place: Place) -> dict[str, str]:
    """One name in each script; what is only a text is how she is known, and of an anonymous one her alias."""
    said: dict[str, str] = {}
    for name in names:
        given = " ".join(name.given or ())
        script = "km" if _KHMER.search(f"{name.family or ''}{given}") else "en"
        parts = {f"family_name_{script}": name.family, f"given_name_{script}": given or None}
        if name.use is NameUse.ANONYMOUS:
            parts = {"alias": name.text or given or name.family}
        elif not (name.family or given):
            parts = {"known_as": name.text}
        told = {key: text for key, text in parts.items() if text}
        if told.keys() & said.keys():
            raise place.wrong("name", "too_many", "There is room for one name in each script.")
        said |= told
    return said


def _birth(written: str | None) -> dict[str, Any]:
    if written is None:
        return {}
    rest, precision = _PRECISION[len(written)]
    return {"birth_date": written + rest, "birth_date_precision": precision}


def _phone(contact: ContactPoint, place: Place) -> dict[str, Any]:
    if contact.system is not ContactSystem.PHONE or contact.value is None or contact.use is ContactUse.OLD:
        raise place.not_read("telecom")
    said: dict[str, Any] = {"number": contact.value}
    for one in contact.extension or ():
        if one.url not in {PHONE_OWNER, SAFE_TO_CALL}:
            raise place.not_read("telecom")
        name = "owner" if one.url == PHONE_OWNER else "safe_to_call"
        if name in said:
            raise place.too_many("telecom")
        said[name] = one.valueCode if one.url == PHONE_OWNER else one.valueBoolean
    return said


def _address(addresses: list[Address], place: Place) -> tuple[str | None, str | None]:
    """The code of the area (a commune's or a village's) and what is written for people."""
    if len(addresses) > 1:
        raise place.too_many("address")
    if not addresses:
        return None, None
    codes = [one.valueCode for one in addresses[0].extension or () if one.url == AREA_CODE]
    if len(codes) != len(addresses[0].extension or ()) or addresses[0].use is AddressUse.OLD:
        raise place.not_read("address")
    if len(codes) > 1:
        raise place.too_many("address")
    return (codes[0] if codes else None), addresses[0].text


def _language(spoken: list[Communication], place: Place) -> Language | None:
    if len(spoken) > 1:
        raise place.too_many("communication")
    for one in spoken:
        codings = one.language.coding or []
        named = {coding.code for coding in codings if coding.system in {LANGUAGES, f"{LISTS}language"}}
        return next((language for language in (Language.KM, Language.EN) if language in named), Language.OTHER)
    return None


def _extensions(extensions: list[Extension], place: Place) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    disability, contact = None, None
    if len({one.url for one in extensions}) != len(extensions):
        raise place.too_many("extension")
    for one in extensions:
        if one.url == DISABILITY:
            disability = {part.url.replace("-", "_"): part.valueCode for part in one.extension or ()}
            if len(disability) != len(one.extension or ()):
                raise place.too_many("extension")
        elif one.url == SAFE_CONTACT:
            contact = _contact(one.extension or [], place)
        else:
            raise place.not_read("extension")
    return disability, contact


def _contact(parts: list[Part], place: Place) -> dict[str, Any]:
    """The rules of safe contact, as they are told to a recipient too (`app.fhir.disclosed`)."""
    said: dict[str, Any] = {}
    for part in parts:
        values = [part.valueCode, part.valueString, part.valueBoolean, part.valueInteger, part.valueDate]
        value = next((one for one in values if one is not None), None)
        if part.url in _MANY_RULES:
            said.setdefault(_MANY_RULES[part.url], []).append(value)
        elif part.url in _ONE_RULE and _ONE_RULE[part.url] not in said:
            said[_ONE_RULE[part.url]] = value
        else:
            raise place.not_read("extension")
    return said
