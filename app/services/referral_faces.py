"""A referral by its face alone: what both sides read at all times, so that nothing told of a client is opened by it."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFound
from app.models.base import Page
from app.models.referral_reads import PartnerSummary, ReferralFace, ReferralSummary
from app.security import Actor
from app.services.addressed import referral_row
from app.services.referral_pages import ReferralQuery, list_referrals
from app.services.referral_views import summaries

Face = ReferralSummary | PartnerSummary


async def read_face(session: AsyncSession, actor: Actor, referral_id: UUID) -> Face:
    """One, as it stands in a list; 404 when it is none of the caller's."""
    found = await summaries(session, actor, [await referral_row(session, referral_id)])
    if not found:
        raise NotFound
    return found[0]


async def list_faces(
    session: AsyncSession, actor: Actor, query: ReferralQuery, keep: Callable[[ReferralFace], bool]
) -> Page[Face]:
    """One page of those that are kept, for searches that no index serves: it may be short and still go on."""
    page = await list_referrals(session, actor, query)
    return Page[Face](items=[one for one in page.items if keep(one)], next_cursor=page.next_cursor)
