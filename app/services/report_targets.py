"""What an organisation means to reach in a quarter: shown beside the figures, decided by its supervisors."""

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import FieldError, Invalid
from app.ids import new_id
from app.indicators.cases import CaseCount
from app.indicators.programme import PROGRAMME
from app.models.report_version import ReportTargets, TargetsPut, TargetsRead
from app.periods import Period
from app.security import Actor

CODES = {one.code for one in PROGRAMME} | {count.value for count in CaseCount}


async def put_targets(session: AsyncSession, actor: Actor, period: Period, wanted: TargetsPut) -> TargetsRead:
    """Set all of them anew, of a quarter to come as well; 422 `unknown_indicator` for a code that no report has."""
    if wanted.targets.keys() - CODES:
        raise Invalid([FieldError("/targets", "unknown_indicator", "There is no such indicator.")])
    said = {"targets": wanted.targets, "set_by": actor.id, "set_at": actor.now}
    row = {"id": new_id(), "organisation_id": actor.own_organisation, "period": str(period), **said}
    statement = upsert(ReportTargets).values(row).on_conflict_do_update(constraint="one_set_of_targets", set_=said)
    await session.execute(statement)
    return TargetsRead(period=str(period), targets=wanted.targets)
