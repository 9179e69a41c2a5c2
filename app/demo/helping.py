"""Help in the cases of the demo: a request in every state, each act one call of a service of the API."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of
from app.demo.acts import Act
from app.demo.stories import Story
from app.models.assistance import (
    AssistanceCreate,
    AssistanceDecision,
    AssistanceEnd,
    AssistanceRead,
    DisbursementCreate,
)
from app.models.codes.assistance import AssistanceKind, AssistanceStatus, Currency, PaymentMethod
from app.models.codes.cases import CaseStatus, Category, Decision
from app.paging import ListQuery
from app.security import Actor
from app.services.assistance import cancel, decide, list_of_case, request_assistance, withdraw
from app.services.disbursements import pay, reverse

S = AssistanceStatus
AT_ITS_END = (S.PAID, S.PAID, S.DECLINED, S.WITHDRAWN, S.CANCELLED)  # over these a case may close
METHODS = (PaymentMethod.CASH, PaymentMethod.MOBILE_WALLET, PaymentMethod.BANK)
WANTED = {
    Category.FINANCIAL_ASSISTANCE: ("School fees for the children.", "ថ្លៃសាលារៀនសម្រាប់កូនៗ។", "Transport to the court."),
    Category.SOCIAL_ASSISTANCE: ("Rice until the harvest.", "អង្ករសម្រាប់គ្រួសារ។", "A mosquito net and blankets."),
}


def help_in(story: Story, lead: str, supervisor: str) -> Iterator[Act]:
    """What is asked for in a case of assistance and what becomes of it; nothing where nobody else could decide."""
    if story.category not in WANTED or lead == supervisor:
        return
    state = _state_of(story)
    yield _asked(story, lead, state)
    if state is S.WITHDRAWN:
        yield _withdrawn(lead)
    elif state is not S.SUBMITTED:
        yield _decided(supervisor, Decision.DECLINE if state is S.DECLINED else Decision.APPROVE)
    elif story.category is Category.SOCIAL_ASSISTANCE:
        yield _decided(supervisor, Decision.APPROVE)  # above the ceiling: it waits for a second person
    if state is S.CANCELLED:
        yield _cancelled(lead)
    if state in {S.PART_PAID, S.PAID}:
        yield _paid(lead, story.number, in_full=state is S.PAID, by_mistake=story.number % 4 == 0)


def _state_of(story: Story) -> AssistanceStatus:
    """Every state is there, spread over the states of the cases; what waits is where cases stay for a while."""
    if story.status is CaseStatus.CLOSED:
        return AT_ITS_END[story.number % len(AT_ITS_END)]
    come = list(CaseStatus).index(story.status)
    return list(S)[(come + (4 if story.category is Category.SOCIAL_ASSISTANCE else 2)) % len(S)]


def _asked(story: Story, who: str, state: AssistanceStatus) -> Act:
    social = story.category is Category.SOCIAL_ASSISTANCE
    much = social and state is S.SUBMITTED
    riel = much or story.number % 3 > 0
    amount = 2_500 + story.number % 7 * 500
    if riel:
        amount = (20_000 + story.number % 9 * 15_000) * (50 if much else 1)
    wanted = AssistanceCreate(
        kind=AssistanceKind.SOCIAL if social else AssistanceKind.FINANCIAL,
        item="Rice, 50 kg" if social else None,
        amount_minor=amount,
        currency=Currency.KHR if riel else Currency.USD,
        purpose=WANTED[story.category][story.number % 3],
    )
    return Act(who, lambda s, a, case_id: request_assistance(s, a, case_id, wanted))


def _decided(who: str, decision: Decision) -> Act:
    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        said = AssistanceDecision(decision=decision, reason="Discussed with the team.")
        await decide(session, actor, (await _latest(session, case_id)).id, said, None)

    return Act(who, do)


def _withdrawn(who: str) -> Act:
    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        said = AssistanceEnd(reason="Her sister helps her now.")
        await withdraw(session, actor, (await _latest(session, case_id)).id, said, None)

    return Act(who, do)


def _cancelled(who: str) -> Act:
    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        said = AssistanceEnd(reason="The commune gave it already.")
        await cancel(session, actor, (await _latest(session, case_id)).id, said, None)

    return Act(who, do)


def _paid(who: str, number: int, *, in_full: bool, by_mistake: bool) -> Act:
    """Half of it, then the rest where it is paid in full; `by_mistake`: the first one was noted twice."""

    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        one = await _latest(session, case_id)
        total = one.approved_minor or 0
        half = total // 2
        receipts = iter(range(10))

        async def give(amount: int) -> UUID:
            paid = DisbursementCreate(
                amount_minor=amount,
                method=METHODS[number % 3],
                paid_on=day_of(actor.now),
                receipt_reference=f"{actor.now:%y%m}-{number:03}-{next(receipts)}",
            )
            return (await pay(session, actor, one.id, paid)).id

        await give(half)
        if by_mistake:
            await reverse(session, actor, one.id, await give(half), AssistanceEnd(reason="Noted twice."))
        if in_full:
            await give(total - half)

    return Act(who, do)


async def _latest(session: AsyncSession, case_id: UUID) -> AssistanceRead:
    return (await list_of_case(session, case_id, ListQuery(limit=1))).items[0]
