"""What follows when a follow-up finds that it happened again, or finds nobody while the risk is high."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.ids import new_id
from app.models.case import CaseRow
from app.models.codes.care import ActionPrompt, FollowUpOutcome
from app.models.follow_up import FollowUp, FollowUpRecord
from app.models.incident import IncidentPrivate
from app.sealing import ring_of
from app.security import Actor
from app.services.action_rows import asked_already, prompted
from app.services.cases import raise_to_sensitive
from app.services.events import record
from app.services.next_follow_up import AT_ONCE, is_lost

# Who records may be a liaison, who sees no incidents and plans nothing for others; the function says when it is right.
REPORT = """
    select report_met_incident(%(follow_up)s, %(incident)s, %(incident_sealed)s, %(action)s, %(action_sealed)s,
                               %(due_at)s) as done
"""


async def follow_outcome(
    session: AsyncSession, actor: Actor, case: CaseRow, row: FollowUp, told: FollowUpRecord
) -> None:
    """`met_new_incident`: the draft of an incident, and a new danger assessment within 24 hours. `not_found` at high
    risk, whose next date is in 24 hours: an event that says so."""
    if is_lost(case, told.outcome):
        await _tell(session, actor, case, "follow_up.escalated", row.id)
    if told.outcome is not FollowUpOutcome.MET_NEW_INCIDENT:
        return
    await session.flush()
    incident_id, action_id = new_id(), new_id()
    ring = ring_of(session)
    draft = IncidentPrivate(note=told.note).model_dump(mode="json")
    wanted = prompted(ActionPrompt.NEW_ASSESSMENT, actor.language)
    waits = bool(await asked_already(session, case.id, ActionPrompt.NEW_ASSESSMENT))
    await fetch(
        session,
        REPORT,
        {
            "follow_up": row.id,
            "incident": incident_id,
            "incident_sealed": ring.seal("incidents", incident_id, case.id, draft),
            "action": None if waits else action_id,
            "action_sealed": ring.seal("actions", action_id, case.id, wanted),
            "due_at": actor.now + AT_ONCE,
        },
    )
    await _tell(session, actor, case, "incident.reported", incident_id, draft=True)
    if not waits:
        await _tell(session, actor, case, "action.added", action_id, prompt=ActionPrompt.NEW_ASSESSMENT)
    await raise_to_sensitive(session, case, actor)


async def _tell(
    session: AsyncSession, actor: Actor, case: CaseRow, event: str, subject_id: UUID, **data: object
) -> None:
    await record(
        session,
        actor,
        event,
        case_id=case.id,
        organisation_id=case.organisation_id,
        subject_id=subject_id,
        data=data,
    )
