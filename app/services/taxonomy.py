"""Our one taxonomy in HSDS: service types below their sectors, by the code lists and with ids that never change."""

from collections.abc import Iterator
from uuid import UUID, uuid5

from app.labels import code_lists
from app.models.codes.referrals import SERVICE_TYPE_SECTOR, Sector, ServiceType
from app.models.hsds import HsdsTaxonomy, HsdsTerm

NAMESPACE = UUID("a7b9c1de-52f4-4c1b-8a3e-1f6d90b2c4e8")
TAXONOMY_ID = uuid5(NAMESPACE, "taxonomy")
LANGUAGES = {"en": "eng", "km": "khm"}  # ISO 639-3, as the example of HSDS writes it
_NAMES = {
    "en": ("Service types of Samaki", "What a service does, below the sector that it belongs to."),
    "km": ("ប្រភេទសេវារបស់សាមគ្គី", "អ្វីដែលសេវាធ្វើ តាមវិស័យរបស់សេវា"),
}
_LABELS = {name: {entry.code: entry for entry in code_lists()[name]} for name in ("sector", "service_type")}


def taxonomy(language: str) -> HsdsTaxonomy:
    """The taxonomy, named in "en" or "km"."""
    name, description = _NAMES[language]
    return HsdsTaxonomy(id=TAXONOMY_ID, name=name, description=description, version="1")


def terms(language: str) -> Iterator[HsdsTerm]:
    """Every sector, then every service type."""
    yield from (_term("sector", sector.value, language, None) for sector in Sector)
    yield from (term_of(service_type, language) for service_type in ServiceType)


def term_of(service_type: ServiceType, language: str) -> HsdsTerm:
    """The term of a service type."""
    return _term("service_type", service_type.value, language, _id("sector", SERVICE_TYPE_SECTOR[service_type]))


def types_under(term_id: UUID) -> list[ServiceType]:
    """The service types that a term means: a type itself, or all of a sector; none for an unknown term."""
    return [
        one
        for one, sector in SERVICE_TYPE_SECTOR.items()
        if term_id in {_id("service_type", one), _id("sector", sector)}
    ]


def _id(kind: str, code: str) -> UUID:
    return uuid5(NAMESPACE, f"{kind}:{code}")


def _term(kind: str, code: str, language: str, parent_id: UUID | None) -> HsdsTerm:
    label = _LABELS[kind][code]
    within = taxonomy(language)
    return HsdsTerm(
        id=_id(kind, code),
        code=code,
        name=label.km if language == "km" else label.en,
        description=f"{label.en}. {label.km}",
        parent_id=parent_id,
        taxonomy=within.name,
        taxonomy_detail=within,
        language=LANGUAGES[language],
    )
