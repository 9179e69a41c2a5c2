"""What the people of the demo find out about danger, and what they plan against it."""

from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of
from app.demo.acts import Act
from app.demo.draws import Draws
from app.models.action import ActionCreate, ActionDone, ActionState
from app.models.assessment import AssessmentCreate, DangerAnswers, RiskReview
from app.models.codes.care import ActionNeed, FollowUpOutcome
from app.models.codes.incidents import AssessmentTool, DangerItem, RiskFactor
from app.models.follow_up import FollowUpRecord, FollowUpState
from app.models.safety_plan import SafetyPlanWrite
from app.paging import ListQuery
from app.security import Actor
from app.services.actions import add_action, complete_action, list_actions
from app.services.assessments import assess
from app.services.follow_ups import cancel_follow_up, list_follow_ups, record_follow_up
from app.services.risks import list_changes, review_change
from app.services.safety_plans import write_safety_plan

EVERY = ListQuery(limit=200)
YES = dict.fromkeys(DangerItem, 0.15) | {DangerItem.JEALOUS: 0.4, DangerItem.CHOKED: 0.08}
STEPS = {
    ActionNeed.DOCUMENTS: "សុំក្រដាសបញ្ជាក់ពីឃុំ",
    ActionNeed.HEALTH: "នាំនាងទៅមណ្ឌលសុខភាព",
    ActionNeed.LIVELIHOOD: "Ask the savings group for a place",
    ActionNeed.JUSTICE: "Ask legal aid for a first talk",
}


def assessment(who: str, draws: Draws) -> Act:
    """The five questions of the DA-5."""

    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        answers = DangerAnswers(**{item.value: draws.chance(often) for item, often in YES.items()})
        factors = [RiskFactor.RECENT_SEPARATION] if draws.chance(0.2) else []
        told = AssessmentCreate(
            tool=AssessmentTool.DA5, assessed_on=day_of(actor.now), answers=answers, factors=factors
        )
        await assess(session, actor, case_id, told)

    return Act(who, do)


def safety_plan(who: str, *, reviewed: bool = False) -> Act:
    """The plan that they make together; `reviewed`: that they look at again."""

    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        told = SafetyPlanWrite(
            needed=True,
            developed_with_client=True,
            concern="When he has been drinking, in the evening.",
            resources="Her sister next door has a telephone.",
            strategies="She takes the children and goes there before dark.",
            code_word="ស្វាយទុំ",
            safe_places=["Her sister's house", "The pagoda"],
            reviewed_on=day_of(actor.now) if reviewed else None,
        )
        if_match, if_none_match = ("*", None) if reviewed else (None, "*")
        await write_safety_plan(session, actor, case_id, told, if_match, if_none_match)

    return Act(who, do, soon=True)


def visited(who: str) -> Act:
    """What was planned for her is done: every step, and every contact, after which the risk says when the next is."""

    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        for step in (await list_actions(session, case_id, EVERY)).items:
            if step.state is ActionState.OPEN:
                await complete_action(session, actor, case_id, step.id, ActionDone(), None)
        for contact in (await list_follow_ups(session, actor, case_id, EVERY)).items:
            if contact.state is FollowUpState.PLANNED:
                told = FollowUpRecord(happened_at=actor.now, outcome=FollowUpOutcome.MET_SAFE)
                await record_follow_up(session, actor, case_id, contact.id, told, None)

    return Act(who, do, soon=True)


def no_more_contacts(who: str) -> Act:
    """Nothing is to come any more on a case about to close, and what was urgent is done."""

    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        for step in (await list_actions(session, case_id, EVERY)).items:
            if step.state is ActionState.OPEN and step.urgent:
                await complete_action(session, actor, case_id, step.id, ActionDone(), None)
        for contact in (await list_follow_ups(session, actor, case_id, EVERY)).items:
            if contact.state is FollowUpState.PLANNED:
                await cancel_follow_up(session, actor, case_id, contact.id, "*")

    return Act(who, do, soon=True)


def looked_at_risks(who: str) -> Act:
    """Every rise to high that waits for a supervisor's look."""

    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        for change in (await list_changes(session, case_id, EVERY)).items:
            if change.review_due_at is not None and change.reviewed_at is None:
                await review_change(session, actor, case_id, change.id, RiskReview(note="Talked it through."))

    return Act(who, do, soon=True)


def planned_step(who: str, draws: Draws, due_on: date) -> Act:
    """A step of the care plan that is still to be done."""
    need = draws.choice(tuple(STEPS))
    wanted = ActionCreate(title=STEPS[need], need=need, due_on=due_on)
    return Act(who, lambda s, a, case_id: add_action(s, a, case_id, wanted), soon=True)
