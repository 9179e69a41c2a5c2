"""Invented people, households and circumstances, as plausible as a person in the field would type them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from app.demo.draws import Draws
from app.demo.names import (
    ADDRESSES,
    FAMILY_NAMES,
    FEMALE_GIVEN_NAMES,
    MALE_GIVEN_NAMES,
    SUMMARIES,
    Bilingual,
)
from app.demo.places import AREAS
from app.models.case import SafeContact
from app.models.codes.care import ContactChannel
from app.models.codes.cases import Category
from app.models.codes.incidents import DatePrecision, IncidentPlace, PerpetratorRelationship
from app.models.codes.people import Difficulty, IdPoorLevel, MaritalStatus, PersonRole, PhoneOwner, Sex
from app.models.incident import GbvAnswers, IncidentCreate, Perpetrator
from app.models.person import CasePersonCreate, Disability, HouseholdCreate, PersonCreate, Phone
from app.services.agreed import OF_AGE

# Women whom the programme serves; a man now and then.
SEXES = {Sex.FEMALE: 23, Sex.MALE: 2}
PRECISIONS = {DatePrecision.DAY: 4, DatePrecision.YEAR: 5, DatePrecision.UNKNOWN: 1}
MARRIED = {
    MaritalStatus.MARRIED_REGISTERED: 4,
    MaritalStatus.MARRIED_CUSTOMARY: 5,
    MaritalStatus.SEPARATED: 2,
    MaritalStatus.DIVORCED: 2,
    MaritalStatus.WIDOWED: 3,
    MaritalStatus.SINGLE: 2,
    MaritalStatus.UNKNOWN: 1,
}
# Of one question: of who is asked all six, about every seventh has a lot of difficulty with one.
ANSWERS = {Difficulty.NONE: 180, Difficulty.SOME: 30, Difficulty.A_LOT: 5, Difficulty.CANNOT_DO: 1}
POOR = {
    IdPoorLevel.ID_POOR_1: 3,
    IdPoorLevel.ID_POOR_2: 3,
    IdPoorLevel.AT_RISK: 2,
    IdPoorLevel.NONE: 4,
    IdPoorLevel.EXPIRED: 1,
}
PLACES = {
    IncidentPlace.HOME: 8,
    IncidentPlace.FIELD_OR_FOREST: 1,
    IncidentPlace.ROAD: 1,
    IncidentPlace.UNKNOWN: 1,
}
BY_WHOM = {
    PerpetratorRelationship.INTIMATE_PARTNER: 8,
    PerpetratorRelationship.FORMER_PARTNER: 3,
    PerpetratorRelationship.IN_LAW: 2,
    PerpetratorRelationship.OTHER_FAMILY: 1,
}


def person(draws: Draws, village: str, today: date) -> PersonCreate:
    """A grown-up of a village, aged 18 to 78, known as exactly as people in the field are."""
    sex = draws.one_of(SEXES)
    return PersonCreate(
        **_names(draws, sex),
        **_birth(draws, today, 18, 78),
        sex=sex,
        phones=_phones(draws),
        village_code=village,
        address=written(draws, ADDRESSES) if draws.chance(0.6) else None,
        marital_status=draws.one_of(MARRIED),
        disability=_disability(draws) if draws.chance(0.3) else None,
    )


def woman(draws: Draws, village: str, today: date) -> PersonCreate:
    """Somebody who comes to the programme's activities: a woman, or a girl of twelve and more."""
    youngest, oldest = (12, 17) if draws.chance(0.08) else (18, 74)
    return PersonCreate(
        **_names(draws, Sex.FEMALE),
        **_birth(draws, today, youngest, oldest),
        sex=Sex.FEMALE,
        phones=_phones(draws) if draws.chance(0.5) else [],
        village_code=village,
        marital_status=draws.one_of(MARRIED) if youngest > 17 else MaritalStatus.SINGLE,
        disability=_disability(draws) if draws.chance(0.5) else None,
    )


def unnamed(draws: Draws, village: str) -> PersonCreate:
    """Somebody who has not agreed to be recorded yet: an alias and no more."""
    return PersonCreate(alias=f"Lotus {draws.randint(10, 99)}", sex=Sex.FEMALE, village_code=village)


def child(draws: Draws, village: str, today: date) -> CasePersonCreate:
    """A child of the client, as a further person of the case."""
    sex = draws.choice((Sex.FEMALE, Sex.MALE))
    return CasePersonCreate(
        role=PersonRole.CHILD,
        sex=sex,
        village_code=village,
        marital_status=MaritalStatus.SINGLE,
        **_birth(draws, today, 1, 15),
        **_names(draws, sex),
    )


def household(draws: Draws, village: str) -> HouseholdCreate:
    """A household of a village; the number of its equity card is invented."""
    level = draws.one_of(POOR)
    card = level in {IdPoorLevel.ID_POOR_1, IdPoorLevel.ID_POOR_2}
    return HouseholdCreate(
        village_code=village,
        id_poor_level=level,
        equity_card_number=f"{village[:4]}-{draws.randint(0, 999_999):06}" if card else None,
        size=draws.randint(1, 8),
    )


def incident(draws: Draws, before: datetime) -> IncidentCreate:
    """What a client tells of violence at home, one to forty days before."""
    physical = draws.chance(0.6)
    names = [f"{name.en} {draws.choice(MALE_GIVEN_NAMES).en}" for name in draws.sample(FAMILY_NAMES, 1)]
    relationship = draws.one_of(BY_WHOM)
    return IncidentCreate(
        occurred_at=(before - timedelta(days=draws.randint(1, 40), hours=draws.randint(0, 12))).astimezone(UTC),
        precision=draws.one_of({DatePrecision.DAY: 4, DatePrecision.EXACT: 1, DatePrecision.MONTH: 1}),
        place=draws.one_of(PLACES),
        answers=GbvAnswers(
            physical=physical, denial=draws.chance(0.3), psychological=not physical or draws.chance(0.7)
        ),
        perpetrators=[Perpetrator(names=names, relationship=relationship)] if draws.chance(0.4) else [],
        perpetrator_relationship=relationship,
    )


def safe_contact(draws: Draws, today: date) -> SafeContact:
    """When and how somebody may be reached without danger."""
    start = draws.randint(7, 13)
    return SafeContact.model_validate(
        {
            "channels": draws.sample((ContactChannel.VISIT, ContactChannel.PHONE, ContactChannel.OFFICE), 2),
            "days": sorted(draws.sample(range(1, 6), draws.randint(2, 4))),
            "from": f"{start:02}:00",
            "to": f"{start + 3:02}:00",
            "may_answer": "client only" if draws.chance(0.5) else None,
            "last_confirmed_on": today,
        }
    )


def summary(draws: Draws, category: Category) -> str:
    """What the case is about, in one sentence."""
    return written(draws, SUMMARIES[category])


def written(draws: Draws, texts: Sequence[Bilingual]) -> str:
    """One of the texts, mostly in Khmer."""
    text = draws.choice(texts)
    return text.km if draws.chance(0.7) else text.en


@cache
def villages_of(commune: str) -> tuple[str, ...]:
    """The codes of a commune's villages."""
    return tuple(place.code for place in AREAS if place.parent == commune)


def _names(draws: Draws, sex: Sex) -> dict[str, Any]:
    family = draws.choice(FAMILY_NAMES)
    given = draws.choice(MALE_GIVEN_NAMES if sex is Sex.MALE else FEMALE_GIVEN_NAMES)
    names = {"family_name_km": family.km, "given_name_km": given.km}
    if draws.chance(0.85):  # the others are not romanised yet
        names |= {"family_name_en": family.en, "given_name_en": given.en}
    if draws.chance(0.15):
        names["known_as"] = f"ម្តាយ{draws.choice(FEMALE_GIVEN_NAMES).km}" if sex is Sex.FEMALE else given.km
    return names


def _birth(draws: Draws, today: date, youngest: int, oldest: int) -> dict[str, Any]:
    precision = draws.one_of(PRECISIONS)
    born = today - timedelta(days=draws.randint(youngest * 366, oldest * 365))
    if precision is DatePrecision.UNKNOWN:
        return {}
    if youngest >= OF_AGE:  # also where only her year is known: she agrees alone (services/agreed.py)
        born = min(born, date(today.year - youngest - 1, 12, 31))
    return {
        "birth_date": born if precision is DatePrecision.DAY else date(born.year, 1, 1),
        "birth_date_precision": precision,
    }


def _phones(draws: Draws) -> list[Phone]:
    if draws.chance(0.35):
        return []
    owner = draws.one_of({PhoneOwner.SELF: 6, PhoneOwner.SPOUSE: 1, PhoneOwner.RELATIVE: 2, PhoneOwner.NEIGHBOUR: 1})
    # A block that no operator has given out.
    return [Phone(number=f"012 000 {draws.randint(0, 999):03}", owner=owner, safe_to_call=owner is PhoneOwner.SELF)]


def _disability(draws: Draws) -> Disability:
    return Disability(**{name: draws.one_of(ANSWERS) for name in Disability.model_fields})
