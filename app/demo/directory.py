"""The demo's directory: what the clinic, legal aid, councils and a few more organisations offer in six communes."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.calendar import day_of
from app.demo.cast import SEED, SET_UP, CastIds, add_missing
from app.demo.draws import Draws
from app.demo.names import Bilingual, DemoOrganisation
from app.demo.places import AREAS, COMMUNES
from app.models.codes.people import OrganisationKind as Kind
from app.models.codes.people import Sex
from app.models.codes.referrals import ServiceType as Type
from app.models.organisation import Organisation
from app.models.service import Service, ServiceCreate

# Who offers something and has no account.
MORE: tuple[DemoOrganisation, ...] = (
    DemoOrganisation("police", Kind.POLICE, Bilingual("ប៉ុស្តិ៍នគរបាលទន្លេសាប", "Tonle Sap Police Post")),
    DemoOrganisation("social", Kind.SOCIAL_SERVICES, Bilingual("ការិយាល័យសង្គមកិច្ចបៃតង", "Green Rice Social Services")),
    DemoOrganisation("shelter", Kind.SHELTER, Bilingual("ផ្ទះសុវត្ថិភាពផ្កាឈូក", "Lotus Safe House")),
    DemoOrganisation("counsel", Kind.OTHER, Bilingual("មជ្ឈមណ្ឌលប្រឹក្សាចិត្តស្ងប់", "Quiet Heart Counselling")),
)
OFFICE: Mapping[str, Any] = {"days": ["MO", "TU", "WE", "TH", "FR"], "opens_at": "08:00", "closes_at": "16:30"}
ALWAYS: Mapping[str, Any] = {
    "days": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"],
    "opens_at": "00:00",
    "closes_at": "23:59",
}
FREE = {"fees": "Free.", "fees_km": "ឥតគិតថ្លៃ។"}
POOR = {"fees": "Free with an equity card.", "fees_km": "ឥតគិតថ្លៃសម្រាប់អ្នកមានប័ណ្ណសមធម៌។"}
WOMEN = {"sex_served": Sex.FEMALE}
TOWN = "1710"

# Whose, what, names, and what else there is to say; `at`: the code of its place.
OFFERS: tuple[tuple[str, Type, Bilingual, dict[str, Any]], ...] = (
    (
        "health",
        Type.FAMILY_PLANNING,
        Bilingual("ការពន្យារកំណើត", "Family planning"),
        {**POOR, "minimum_age": 15, "at": "170201"},
    ),
    ("health", Type.ANTENATAL_CARE, Bilingual("ការថែទាំមុនសម្រាល", "Antenatal care"), {**POOR, **WOMEN, "at": "170201"}),
    (
        "health",
        Type.SAFE_ABORTION,
        Bilingual("ការរំលូតកូនដោយសុវត្ថិភាព", "Safe abortion care"),
        {**POOR, **WOMEN, "at": TOWN},
    ),
    (
        "health",
        Type.CLINICAL_MANAGEMENT_OF_RAPE,
        Bilingual("ការព្យាបាលក្រោយការរំលោភ", "Care after rape, at every hour"),
        {**FREE, "at": TOWN, "schedules": [ALWAYS]},
    ),
    ("legal_aid", Type.LEGAL_AID, Bilingual("ប្រឹក្សា និងការពារក្តី", "Advice and a lawyer"), {**FREE, "at": TOWN}),
    ("legal_aid", Type.LAND_CERTIFICATE, Bilingual("ជំនួយបណ្ណកម្មសិទ្ធិដី", "Help with land papers"), {**FREE, "at": "170703"}),
    (
        "police",
        Type.POLICE_PROTECTION,
        Bilingual("ការការពារស្ត្រី និងកុមារ", "Protection of women and children"),
        {**FREE, "at": TOWN, "schedules": [ALWAYS]},
    ),
    (
        "social",
        Type.CASH_ASSISTANCE,
        Bilingual("ជំនួយសាច់ប្រាក់", "Cash for families in need"),
        {**FREE, "at": TOWN, "capacity": "full"},
    ),
    ("social", Type.FOOD_ASSISTANCE, Bilingual("ជំនួយស្បៀង", "Rice for families in need"), {**FREE, "at": "170301"}),
    ("counsel", Type.PSYCHOSOCIAL_SUPPORT, Bilingual("ប្រឹក្សាផ្លូវចិត្ត", "Counselling"), {**FREE, "at": TOWN}),
    (
        "counsel",
        Type.MENTAL_HEALTH,
        Bilingual("សុខភាពផ្លូវចិត្ត", "Mental health care"),
        {**POOR, "minimum_age": 18, "at": TOWN},
    ),
    # Where it is stands nowhere.
    (
        "shelter",
        Type.SHELTER,
        Bilingual("ទីជម្រក", "A safe place to stay"),
        {**FREE, **WOMEN, "places_total": 12, "places_free": 3},
    ),
    (
        "ngo_1",
        Type.LIVELIHOODS,
        Bilingual("ជំនួយមុខរបរតូចតាច", "Starting a small business"),
        {**FREE, **WOMEN, "minimum_age": 18, "at": "171205"},
    ),
    ("ngo_2", Type.EDUCATION, Bilingual("ថ្នាក់អក្ខរកម្ម", "Evening classes"), {**FREE, "minimum_age": 15, "at": "171301"}),
)
_NAMES = {place.code: Bilingual(place.name_km, place.name_en or place.code) for place in AREAS}


def add_directory(connection: sa.Connection, ids: CastIds, now: datetime) -> None:
    """The organisations without accounts, and every service; checked by somebody in the weeks before `now`."""
    draws = Draws(SEED + 2)
    more = {one.key: draws.uuid() for one in MORE}
    add_missing(connection, [_organisation(one, more[one.key]) for one in MORE])
    owners = ids.organisations | more
    add_missing(connection, [_service(draws, owners, *offer, day_of(now)) for offer in _offers()])


def _offers() -> Iterator[tuple[str, Type, Bilingual, dict[str, Any]]]:
    """Those above; and in each commune a health post, and the papers that its council makes out."""
    yield from OFFERS
    for number, commune in enumerate(COMMUNES, 1):
        place = _NAMES[commune]
        post = Bilingual(f"ប៉ុស្តិ៍សុខភាព{place.km}", f"Health post of {place.en}")
        yield "health", Type.GENERAL_HEALTH, post, {**POOR, "at": commune}
        births = Bilingual(f"សំបុត្រកំណើត ឃុំ{place.km}", f"Birth certificates in {place.en}")
        yield f"council_{number}", Type.BIRTH_CERTIFICATE, births, {**FREE, "at": commune}
        poor = Bilingual(f"ការចុះឈ្មោះក្រីក្រ ឃុំ{place.km}", f"IDPoor registration in {place.en}")
        yield f"council_{number}", Type.ID_POOR_ENROLMENT, poor, {**FREE, "at": commune}


def _organisation(one: DemoOrganisation, own_id: UUID) -> Organisation:
    return Organisation.named(SET_UP, id=own_id, name=one.name.en, name_km=one.name.km, kind=one.kind)


def _service(
    draws: Draws,
    owners: Mapping[str, UUID],
    owner: str,
    service_type: Type,
    name: Bilingual,
    more: Mapping[str, Any],
    today: date,
) -> Service:
    said = dict(more)
    place = said.pop("at", None)
    fields: dict[str, Any] = {
        "languages": ["km"],
        "schedules": [OFFICE],
        # A block that no operator has given out.
        "phones": [{"number": f"012 000 {draws.randint(0, 999):03}"}],
        "locations": [{"area_code": place}] if place else [],
        "capacity": None if "places_free" in said else "open",
        # One in ten was looked at so long ago that it warns.
        "assured_on": today - timedelta(days=400 if draws.chance(0.1) else draws.randint(1, 90)),
    }
    wanted = ServiceCreate(service_type=service_type, name=name.en, name_km=name.km, **(fields | said))
    return Service(
        id=draws.uuid(),
        created_at=SET_UP,
        updated_at=SET_UP,
        organisation_id=owners[owner],
        capacity_open=wanted.capacity != "full",
        **wanted.model_dump(exclude={"organisation_id", "capacity"}),
    )
