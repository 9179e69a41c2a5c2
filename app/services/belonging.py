"""Which role belongs to which organisations and communes, and that somebody can always administer."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Cause, Conflict, FieldError, Invalid
from app.models.codes.people import OrganisationKind, Role
from app.models.organisation import Organisation

Kind = OrganisationKind

NGOS = frozenset({Kind.NGO})
PARTNERS = frozenset(Kind) - {Kind.NGO, Kind.COMMUNE_COUNCIL}


@dataclass(frozen=True, slots=True)
class Belonging:
    """Kinds of organisation that a role may belong to, and what it cannot be without."""

    kinds: frozenset[OrganisationKind] = frozenset(Kind)
    needs_organisation: bool = False
    has_communes: bool = False


BELONGING: dict[Role, Belonging] = {
    Role.CASEWORKER: Belonging(NGOS, needs_organisation=True),
    Role.SUPERVISOR: Belonging(NGOS, needs_organisation=True),
    Role.CCWC_LIAISON: Belonging(has_communes=True),
    Role.PARTNER: Belonging(PARTNERS, needs_organisation=True),
    Role.AUDITOR: Belonging(),
    Role.ADMIN: Belonging(),
}

ADMINS = "role = 'admin' and active and not system"

HOLD_ADMINS = text(f"select id from users where {ADMINS} order by id for no key update")  # noqa: S608 (constant)

SOMEBODY_ADMINISTERS = text("""
    select exists (select from users u left join organisations o on o.id = u.organisation_id
                    where u.role = 'admin' and u.active and not u.system and coalesce(o.active, true))
""")

COMMUNES = text("select code from areas where level = 'commune' and code = any (:codes)")


async def check_belonging(
    session: AsyncSession, role: Role, organisation_id: UUID | None, communes: Sequence[str]
) -> None:
    """422 at `organisation_id` or `communes` unless they exist and fit the role."""
    await _check_organisation(session, BELONGING[role], organisation_id)
    await _check_communes(session, BELONGING[role], communes)


async def hold_admins(session: AsyncSession) -> None:
    """Lock the rows of all active admins, in one order: who takes rights away waits for others who do."""
    await session.execute(HOLD_ADMINS)


async def keep_an_admin(session: AsyncSession) -> None:
    """409 when after this change nobody could administer. The caller held the admins before it."""
    if not await session.scalar(SOMEBODY_ADMINISTERS):
        raise Conflict(Cause.LAST_ADMIN)


async def _check_organisation(session: AsyncSession, rule: Belonging, organisation_id: UUID | None) -> None:
    if organisation_id is None:
        if rule.needs_organisation:
            raise Invalid.at("/organisation_id", "required", "This role belongs to an organisation.")
        return
    # Held, so that its kind cannot change meanwhile.
    statement = select(Organisation).where(col(Organisation.id) == organisation_id).with_for_update(read=True)
    organisation = await session.scalar(statement)
    if organisation is None:
        raise Invalid.at("/organisation_id", "unknown_organisation", "There is no such organisation.")
    if organisation.kind not in rule.kinds:
        raise Invalid.at("/organisation_id", "wrong_kind", "This role does not belong to such an organisation.")


async def _check_communes(session: AsyncSession, rule: Belonging, communes: Sequence[str]) -> None:
    if not rule.has_communes:
        if communes:
            raise Invalid.at("/communes", "not_allowed", "Only a liaison has communes.")
        return
    if not communes:
        raise Invalid.at("/communes", "required", "A liaison needs at least one commune.")
    await check_communes(session, communes, "/communes")


async def check_communes(session: AsyncSession, communes: Sequence[str], pointer: str) -> None:
    """422 at the places below `pointer` of what is no commune."""
    known = set(await session.scalars(COMMUNES, {"codes": list(communes)})) if communes else set()
    wrong = [place for place, code in enumerate(communes) if code not in known]
    if wrong:
        raise Invalid(
            [FieldError(f"{pointer}/{place}", "unknown_area", "There is no such commune.") for place in wrong]
        )


def party_of(role: Role, organisation_id: UUID | None, kind: OrganisationKind | None) -> str:
    """Who must confirm that an account has this role in this place, or gets new factors there.

    An organisation's id: a supervisor of that NGO, or a person of that partner. "signatories": a supervisor of any
    organisation that signed the agreement, for liaisons, whose councils have nobody of the kind. "administration":
    another admin, or such a supervisor. Never the requester, never the person (services/user_requests.py).
    """
    if role in {Role.ADMIN, Role.AUDITOR}:
        return "administration"
    if organisation_id is None or (role is Role.CCWC_LIAISON and kind is not OrganisationKind.NGO):
        return "signatories"
    return str(organisation_id)
