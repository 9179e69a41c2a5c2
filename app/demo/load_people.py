"""Between whom load data are spread: many small offices, the bench's own, and the councils' liaisons."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.demo.cast import SET_UP, add_areas, add_missing
from app.demo.draws import Draws
from app.demo.places import COMMUNES
from app.models.codes.people import OrganisationKind, Role
from app.models.organisation import Organisation
from app.models.user import User

CASES_OF_OFFICE = 2_000
CASEWORKERS, SUPERVISORS, BENCH_COLLEAGUES, DAY_CASEWORKERS = 12, 2, 40, 30


@dataclass(frozen=True, slots=True)
class Office:
    """An organisation with those who work there."""

    organisation: Organisation
    caseworkers: tuple[User, ...]
    supervisors: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class LoadPeople:
    """The bench's own offices, the small ones, and the councils' liaisons by commune.

    `day` is where 30 caseworkers carry 25 open cases each, for the worklist of one of them and of their supervisor.
    """

    bench: Office
    day: Office
    offices: tuple[Office, ...]
    councils: tuple[Organisation, ...]
    liaisons: dict[str, tuple[User, ...]]


def load_accounts() -> list[User]:
    """The accounts of the bench, the same in every database; they have no password, the bench issues tokens.

    First `bench_caseworker`, who sees exactly one load case in twenty; then her colleagues and supervisor; then those
    of the office with the full day, of which the first is `day_caseworker`, and the last its `day_supervisor`.
    """
    bench, day = _bench_office(), _day_office()
    return [*bench.caseworkers, *bench.supervisors, *day.caseworkers, *day.supervisors]


def load_people(seed: int, cases: int) -> LoadPeople:
    """The people of one load; the bench's office is the same in all of them."""
    draws = Draws(f"people of load {seed}")
    offices = tuple(
        _office(draws, f"load{seed}_{number}", CASEWORKERS, SUPERVISORS)
        for number in range(max(2, cases // CASES_OF_OFFICE))
    )
    councils = tuple(
        _organisation(draws, f"load{seed}_council_{commune}", OrganisationKind.COMMUNE_COUNCIL) for commune in COMMUNES
    )
    each = 1 + len(offices) // 2
    liaisons = {
        commune: tuple(
            _user(draws, f"load{seed}_liaison_{commune}_{number}", Role.CCWC_LIAISON, council, [commune])
            for number in range(each)
        )
        for commune, council in zip(COMMUNES, councils, strict=True)
    }
    return LoadPeople(_bench_office(), _day_office(), offices, councils, liaisons)


def write_people(connection: sa.Connection, people: LoadPeople) -> None:
    """Write areas, organisations and users; the bench's office may be there from an earlier load."""
    offices = (people.bench, people.day, *people.offices)
    add_areas(connection)
    add_missing(connection, [*(office.organisation for office in offices), *people.councils])
    users = [user for office in offices for user in (*office.caseworkers, *office.supervisors)]
    add_missing(connection, users + [user for of_commune in people.liaisons.values() for user in of_commune])


def _bench_office() -> Office:
    draws = Draws("bench")
    organisation = _organisation(draws, "bench", OrganisationKind.NGO)
    names = ["bench_caseworker", *(f"bench_colleague_{number}" for number in range(1, BENCH_COLLEAGUES + 1))]
    return Office(
        organisation,
        tuple(_user(draws, name, Role.CASEWORKER, organisation) for name in names),
        (_user(draws, "bench_supervisor", Role.SUPERVISOR, organisation),),
    )


def _day_office() -> Office:
    draws = Draws("day")
    organisation = _organisation(draws, "day", OrganisationKind.NGO)
    names = ["day_caseworker", *(f"day_colleague_{number}" for number in range(1, DAY_CASEWORKERS))]
    return Office(
        organisation,
        tuple(_user(draws, name, Role.CASEWORKER, organisation) for name in names),
        (_user(draws, "day_supervisor", Role.SUPERVISOR, organisation),),
    )


def _office(draws: Draws, name: str, caseworkers: int, supervisors: int) -> Office:
    organisation = _organisation(draws, name, OrganisationKind.NGO)

    def staff(role: Role, number: int) -> tuple[User, ...]:
        return tuple(_user(draws, f"{name}_{role}_{one}", role, organisation) for one in range(number))

    return Office(organisation, staff(Role.CASEWORKER, caseworkers), staff(Role.SUPERVISOR, supervisors))


def _organisation(draws: Draws, name: str, kind: OrganisationKind) -> Organisation:
    return Organisation.named(SET_UP, id=draws.uuid(), name=name, name_km=name, kind=kind)


def _user(draws: Draws, name: str, role: Role, organisation: Organisation, communes: Sequence[str] = ()) -> User:
    return User.named(
        SET_UP,
        id=draws.uuid(),
        username=name,
        display_name=name.replace("_", " ").title(),
        role=role,
        organisation_id=organisation.id,
        communes=list(communes),
    )
