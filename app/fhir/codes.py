"""Our code lists and extensions by the names that they have in FHIR.

A code system is `urn:samaki:codes:<list>`; its codes and their labels are those of `GET /api/v1/codes`. Areas are
`urn:samaki:areas` (`GET /api/v1/areas`). Extensions are `urn:samaki:fhir:<name>`.
"""

from enum import StrEnum
from functools import cache
from typing import TypeVar

from app.errors import Invalid
from app.fhir.types import Address, CodeableConcept, Coding, Extension
from app.labels import code_lists
from app.models.codes import CODE_LISTS

Codes = TypeVar("Codes", bound=StrEnum)

LISTS = "urn:samaki:codes:"
AREAS = "urn:samaki:areas"
OWN = "urn:samaki:fhir:"
AREA_CODE = f"{OWN}area-code"
CONTACT_SUSPENDED = f"{OWN}contact-suspended"
REFERRAL_CODES = "urn:samaki:referral-codes"
ORGANISATIONS = "urn:samaki:organisations"  # the registers of their own ids: `…:<organisation>`
OUTPUTS = "urn:samaki:fhir:task-output"
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
TASK_CODES = "http://hl7.org/fhir/CodeSystem/task-code"
MASKED = Extension(url="http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode="masked")

_NAMES = {codes: name for name, codes in CODE_LISTS.items()}


def system_of(codes: type[StrEnum]) -> str:
    """The code system of a list."""
    return LISTS + _NAMES[codes]


def coding(code: StrEnum) -> Coding:
    """A code of ours with its system and its English label."""
    return Coding(system=system_of(type(code)), code=code.value, display=_label(type(code), code.value))


@cache
def _label(codes: type[StrEnum], code: str) -> str:
    """By its list too: the same word stands in several, and is equal in all of them."""
    return next(entry.en for entry in code_lists()[_NAMES[codes]] if entry.code == code)


def concept(code: StrEnum | None, text: str | None = None) -> CodeableConcept | None:
    """A concept of one of our codes, and words beside it; None for neither."""
    if code is None and text is None:
        return None
    return CodeableConcept(coding=None if code is None else [coding(code)], text=text)


def area(code: str) -> CodeableConcept:
    """An area of the gazetteer."""
    return CodeableConcept(coding=[Coding(system=AREAS, code=code)])


def address_in(code: str, text: str | None = None) -> Address:
    """A place by the code of its area."""
    return Address(text=text, extension=[Extension(url=AREA_CODE, valueCode=code)])


def code_in(found: CodeableConcept | None, codes: type[Codes], pointer: str) -> Codes | None:
    """The code of ours that a concept names, None when it names none of this list; 422 for one that the list has not.

    Codings of other systems may stand beside it. Two of ours are refused: nobody could say which was meant.
    """
    ours = [one.code for one in (found and found.coding) or () if one.system == system_of(codes)]
    if len(ours) > 1:
        raise Invalid.at(pointer, "too_many", "There are too many items.")
    if not ours:
        return None
    if ours[0] not in set(codes):
        raise Invalid.at(pointer, "unknown_code", "This is not one of the codes of the list.")
    return codes(ours[0])
