"""One row of the directory in the shapes of HSDS. Of a shelter neither places nor phones nor hours are told."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid5

from app.labels import code_lists
from app.models.area import Area
from app.models.codes.people import Language
from app.models.hsds import (
    HsdsAddress,
    HsdsAttribute,
    HsdsLanguage,
    HsdsLocation,
    HsdsOrganization,
    HsdsPhone,
    HsdsSchedule,
    HsdsService,
    HsdsServiceAtLocation,
)
from app.models.organisation import Organisation
from app.models.service import Service
from app.services.service_rules import hides_places
from app.services.taxonomy import term_of

COUNTRY = "KH"
OFFSET, OFFSET_HOURS = "+07:00", 7
FULL = {"en": "Full at present: ask before you go.", "km": "បច្ចុប្បន្នពេញហើយ៖ សូមសួរមុននឹងទៅ។"}
_LABELS = {name: {entry.code: entry for entry in code_lists()[name]} for name in ("organisation_kind", "language")}


def organization(row: Organisation, language: str) -> HsdsOrganization:
    """An organisation; what kind it is stands for the description that HSDS asks for."""
    name, other = _in(language, row.name, row.name_km)
    kind = _LABELS["organisation_kind"][row.kind]
    return HsdsOrganization(id=row.id, name=name, alternate_name=other, description=_in(language, kind.en, kind.km)[0])


def service(row: Service, owner: Organisation, language: str, areas: Mapping[str, Area] | None) -> HsdsService:
    """A service in "en" or "km"; with `areas`, the gazetteer's rows of its codes, all that hangs on it too."""
    name, other = _in(language, row.name, row.name_km)
    parts = {} if areas is None else _parts(row, owner, language, areas)
    return HsdsService(
        id=row.id,
        name=name,
        alternate_name=other,
        description=_told(language, row.description, row.description_km),
        status=row.status.value,
        alert=FULL[language] if row.capacity_open is False else None,
        eligibility_description=_told(language, row.eligibility, row.eligibility_km),
        minimum_age=row.minimum_age,
        maximum_age=row.maximum_age,
        fees_description=_told(language, row.fees, row.fees_km),
        assured_date=row.assured_on.isoformat() if row.assured_on else None,
        last_modified=row.updated_at,
        organization=organization(owner, language),
        **parts,
    )


def area_codes(row: Service) -> Iterator[str]:
    """The codes of its locations and of the areas around them."""
    for location in row.locations:
        code = location["area_code"]
        yield from (code[:length] for length in range(2, len(code) + 1, 2))


def _parts(row: Service, owner: Organisation, language: str, areas: Mapping[str, Area]) -> dict[str, Any]:
    hidden = hides_places(row.service_type, owner.kind)
    return {
        "phones": [] if hidden else list(_phones(row)),
        "schedules": [] if hidden else list(_schedules(row)),
        "languages": list(_languages(row, language)),
        "service_at_locations": [] if hidden else list(_places(row, language, areas)),
        "attributes": [
            HsdsAttribute(
                id=_id(row, "attribute", 0),
                link_type="service_type",
                link_entity="service",
                taxonomy_term=term_of(row.service_type, language),
            )
        ],
    }


def _phones(row: Service) -> Iterator[HsdsPhone]:
    for index, phone in enumerate(row.phones):
        yield HsdsPhone(id=_id(row, "phone", index), number=phone["number"], type="voice", description=phone["note"])


def _schedules(row: Service) -> Iterator[HsdsSchedule]:
    for index, schedule in enumerate(row.schedules):
        yield HsdsSchedule(
            id=_id(row, "schedule", index),
            freq="WEEKLY",
            wkst="MO",
            byday=",".join(schedule["days"]),
            opens_at=schedule["opens_at"] + OFFSET,
            closes_at=schedule["closes_at"] + OFFSET,
            timezone=OFFSET_HOURS,
            notes=schedule["note"],
        )


def _languages(row: Service, language: str) -> Iterator[HsdsLanguage]:
    for index, code in enumerate(row.languages):
        label = _LABELS["language"][code]
        yield HsdsLanguage(
            id=_id(row, "language", index),
            name=_in(language, label.en, label.km)[0],
            code=None if code == Language.OTHER else code,
        )


def _places(row: Service, language: str, areas: Mapping[str, Area]) -> Iterator[HsdsServiceAtLocation]:
    for index, location in enumerate(row.locations):
        code = location["area_code"]
        names = [_area_name(areas, code[:length], language) for length in range(2, len(code) + 1, 2)]
        written = _told(language, location["address"], location["address_km"])
        address = HsdsAddress(
            id=_id(row, "address", index),
            address_1=written or names[-1],
            city=names[-1],
            region=names[1] if len(names) > 1 else None,
            state_province=names[0],
            country=COUNTRY,
            address_type="physical",
        )
        yield HsdsServiceAtLocation(
            id=_id(row, "service_at_location", index),
            location=HsdsLocation(
                id=_id(row, "location", index),
                location_type="physical",
                name=names[-1],
                external_identifier=code,
                external_identifier_type="NCDD area code",
                addresses=[address],
            ),
        )


def _area_name(areas: Mapping[str, Area], code: str, language: str) -> str:
    """The code itself where a later gazetteer has it no more."""
    area = areas.get(code)
    return _in(language, area.name_en or area.name_km, area.name_km)[0] if area else code


def _id(row: Service, kind: str, index: int) -> UUID:
    """Ids of what has no row of its own: the same as long as it stands in the same place of its list."""
    return uuid5(row.id, f"{kind}:{index}")


def _in(language: str, en: str, km: str) -> tuple[str, str]:
    return (km, en) if language == "km" else (en, km)


def _told(language: str, en: str | None, km: str | None) -> str | None:
    """The text in the language, else in the other one."""
    return (km or en) if language == "km" else (en or km)
