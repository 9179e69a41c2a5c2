"""Who plays in the demo, and where: its areas, its organisations, its eleven people and a partner's system."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel

from app.demo.draws import Draws
from app.demo.names import ORGANISATIONS
from app.demo.places import AREAS, COMMUNES
from app.models.area import Area
from app.models.codes.people import Language, Role
from app.models.organisation import Organisation
from app.models.user import SignInSession, User
from app.policy import scopes_of_systems

SEED = 2024
SET_UP = datetime(2023, 12, 18, 2, 0, tzinfo=UTC)  # before the first activity
SIGNATORY = "ngo_1"


@dataclass(frozen=True, slots=True)
class Member:
    """One account of the demo; `organisation` is the key of names.ORGANISATIONS."""

    username: str
    display_name: str
    role: Role
    organisation: str | None
    language: Language
    communes: tuple[str, ...] = ()


# The system of the health partner, to try the partners' side with: confirmed, and allowed what systems may.
SANDBOX = Member("3f6a2c5e-9d41-4b7e-8a05-c1d27e94b680", "Sandbox", Role.PARTNER, "health", Language.EN)

CAST: tuple[Member, ...] = (
    Member("caseworker1", "Chan Sreymom", Role.CASEWORKER, "ngo_1", Language.KM),
    Member("caseworker2", "Keo Bopha", Role.CASEWORKER, "ngo_1", Language.KM),
    Member("caseworker3", "Prum Chenda", Role.CASEWORKER, "ngo_2", Language.KM),
    Member("supervisor1", "Heng Sophea", Role.SUPERVISOR, "ngo_1", Language.EN),
    Member("supervisor3", "Mao Kunthea", Role.SUPERVISOR, "ngo_2", Language.KM),
    Member("liaison1", "Sam Somaly", Role.CCWC_LIAISON, "council_1", Language.KM, (COMMUNES[0],)),
    Member("liaison2", "Tep Phalla", Role.CCWC_LIAISON, "council_2", Language.KM, (COMMUNES[1],)),
    Member("partner_health", "Lim Nary", Role.PARTNER, "health", Language.KM),
    Member("partner_legal", "Sar Socheata", Role.PARTNER, "legal_aid", Language.KM),
    Member("auditor", "Anne Auditor", Role.AUDITOR, None, Language.EN),
    Member("admin", "Dara Admin", Role.ADMIN, None, Language.EN),
)


@dataclass(frozen=True, slots=True)
class CastIds:
    """Ids by key of the organisation and by username; `sessions` exist only while the demo is loaded."""

    organisations: dict[str, UUID]
    users: dict[str, UUID]
    sessions: dict[str, UUID]


def cast_ids() -> CastIds:
    """The same ids at every run."""
    draws = Draws(SEED)
    return CastIds(
        organisations={one.key: draws.uuid() for one in ORGANISATIONS},
        users={member.username: draws.uuid() for member in CAST} | {SANDBOX.username: UUID(SANDBOX.username)},
        sessions={member.username: draws.uuid() for member in CAST},
    )


def set_up(connection: sa.Connection, ids: CastIds) -> None:
    """Write what the cast needs to act: areas, organisations, users with a session; keeps what is there."""
    add_areas(connection)
    add_missing(connection, _organisations(ids))
    add_missing(connection, [_user(member, ids) for member in CAST])
    add_sandbox(connection, ids)
    add_missing(connection, [_session(member, ids) for member in CAST])


def add_sandbox(connection: sa.Connection, ids: CastIds) -> None:
    """The partner's system; in a demo that was loaded before there was one, it is new."""
    allowed = {"system": True, "scopes": sorted(scopes_of_systems()), "confirmed_at": SET_UP}
    add_missing(connection, [_user(SANDBOX, ids, keeper_id=ids.users["partner_health"], **allowed)])


def add_areas(connection: sa.Connection) -> None:
    """The six communes with what is around and in them; areas that are there already stay as they are."""
    add_missing(connection, [Area(**place._asdict()) for place in AREAS])


def add_missing(connection: sa.Connection, rows: Sequence[SQLModel]) -> None:
    """Insert rows of one table, leaving out those whose key exists."""
    table: Any = type(rows[0])
    statement = insert(table.__table__).on_conflict_do_nothing()
    connection.execute(statement, [row.model_dump() for row in rows])


def _organisations(ids: CastIds) -> Sequence[SQLModel]:
    return [
        Organisation.named(
            SET_UP,
            id=ids.organisations[one.key],
            name=one.name.en,
            name_km=one.name.km,
            kind=one.kind,
            signatory=one.key == SIGNATORY,
        )
        for one in ORGANISATIONS
    ]


def _user(member: Member, ids: CastIds, **fields: Any) -> User:
    return User.named(
        SET_UP,
        id=ids.users[member.username],
        username=member.username,
        display_name=member.display_name,
        role=member.role,
        organisation_id=ids.organisations[member.organisation] if member.organisation else None,
        communes=list(member.communes),
        language=member.language,
        **fields,
    )


def _session(member: Member, ids: CastIds) -> SignInSession:
    return SignInSession(
        id=ids.sessions[member.username],
        user_id=ids.users[member.username],
        created_at=SET_UP,
        expires_at=SET_UP + timedelta(days=36_500),
    )
