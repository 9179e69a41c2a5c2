"""Acting on a case that is seen, or as its organisation's supervisor on the stub of one that is not."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.errors import Forbidden, NotFound
from app.permissions import Permission
from app.policy import RELATION_PERMISSIONS, may
from app.relations import Access, Relation
from app.sealing import load_keys
from app.services.visible import access_to, supervises

STUB = text("select organisation_id from case_stubs(only_case => :case_id)")


@dataclass(frozen=True, slots=True)
class Standing:
    """From where the caller acts: `access` is None on a stub."""

    organisation_id: UUID
    access: Access | None
    oversees: bool

    def require_more_than_broken_glass(self) -> None:
        """403 for who sees the case through broken glass alone: that is for reading and noting only."""
        if self.access is not None and self.access.relations == {Relation.BREAK_GLASS}:
            raise Forbidden


async def standing_for(session: AsyncSession, case_id: UUID, permission: Permission) -> Standing:
    """404 when the case is neither seen nor a stub of the caller's; 403 when what the caller is does not allow this."""
    oversees = await supervises(session, case_id)
    try:
        access = await access_to(session, case_id)
    except NotFound:
        if not oversees:
            raise
        organisation_id = (await session.execute(STUB, {"case_id": case_id})).scalar_one_or_none()
        if organisation_id is None or permission not in RELATION_PERMISSIONS[Relation.STUB]:
            raise NotFound from None
        await load_keys(session, [case_id])  # reasons and notes written here are sealed for who sees the case
        touched(session, case_id, Relation.STUB)
        return Standing(organisation_id, None, oversees)
    if not may(access, permission) and not (oversees and permission in RELATION_PERMISSIONS[Relation.REVIEWER]):
        raise Forbidden
    return Standing(access.organisation_id, access, oversees)
