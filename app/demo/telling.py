"""Telling a story: the case is opened, then its acts follow, each at a working moment of the story's days."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from app.calendar import day_of
from app.demo.acts import Act
from app.demo.cast import CAST
from app.demo.course import FORMS, Course
from app.demo.draws import Draws, weekdays
from app.demo.invented import household, incident, person, safe_contact, summary, unnamed, villages_of
from app.demo.places import COMMUNES
from app.demo.referring import sent_by_partner
from app.demo.stage import Stage
from app.demo.stories import LIAISONS, SUPERVISOR_OF, WORKS_IN, Story
from app.models.case import CaseCreate
from app.models.codes.cases import CaseStatus, Category, Priority
from app.models.codes.consents import ConsentPurpose
from app.models.codes.referrals import ReferredFrom
from app.models.consent import ConsentCreate
from app.models.person import PersonCreate
from app.services.households import add_household
from app.services.opening import open_case
from app.services.people import add_to_register
from app.services.referring_in import refer_in

REGISTERED = (date(2024, 1, 8), date(2024, 1, 31))
HOUSEHOLDS = 5  # of each caseworker in each commune
PRIORITIES = {Priority.ROUTINE: 14, Priority.URGENT: 4, Priority.ASAP: 2, Priority.STAT: 1}
SOURCES = {
    ReferredFrom.SELF: 5,
    ReferredFrom.HOME_VISIT: 4,
    ReferredFrom.SMART_WOMAN: 4,
    ReferredFrom.FAMILY_OR_NEIGHBOUR: 3,
    ReferredFrom.VILLAGE_HEALTH_SUPPORT_GROUP: 2,
    ReferredFrom.VILLAGE_CHIEF: 1,
    ReferredFrom.HEALTH_SERVICE: 2,
    ReferredFrom.PUBLIC_FORUM: 1,
}
ORGANISATION_OF = {member.username: member.organisation or "" for member in CAST}


class Teller:
    """Tells the stories one by one; keeps whom the registers hold and who was whose client."""

    def __init__(self, stage: Stage, draws: Draws, now: datetime) -> None:
        self.stage, self.draws, self.now = stage, draws, now
        self._registered: dict[tuple[str, str], list[tuple[UUID, str]]] = {}
        self._clients: dict[int, UUID] = {}

    async def fill_registers(self) -> None:
        """Households with one or two of their people, in the registers of both NGOs."""
        for who in ("caseworker1", "caseworker2", "caseworker3"):
            for place in sorted(set(WORKS_IN[who])):
                for _ in range(HOUSEHOLDS):
                    await self._register(who, COMMUNES[place])

    async def _register(self, who: str, commune: str) -> None:
        session, draws = self.stage.session, self.draws
        at, village = draws.at_work(draws.weekday(*REGISTERED)), draws.choice(villages_of(commune))
        actor = await self.stage.enter(who, at)
        home = await add_household(session, actor, household(draws, village))
        for _ in range(draws.randint(1, 2)):
            member = person(draws, village, day_of(at)).model_copy(update={"household_id": home.id})
            known = await add_to_register(session, actor, member)
            self._registered.setdefault((ORGANISATION_OF[who], commune), []).append((known.id, village))

    async def tell(self, story: Story) -> None:
        """Open the case, and let happen what happens."""
        course = Course(story, self.draws, self.stage.ids, self.now)
        actor = await self.stage.enter(self._opener(story), story.opened)
        if story.sent_by is not None:  # the partner knows nothing more of her
            await refer_in(
                self.stage.session, actor, sent_by_partner(self._intake(story, course), f"HC-{story.number}")
            )
            return
        case = await open_case(self.stage.session, actor, self._intake(story, course))
        self._clients[story.number] = case.client_id
        acts = list(course.acts())
        for act, at in zip(acts, _moments(self.draws, story, acts), strict=True):
            actor = await self.stage.enter(act.who, at)
            await act.do(self.stage.session, actor, case.id)
        self.stage.session.expunge_all()

    def _opener(self, story: Story) -> str:
        if story.sent_by is not None:
            return story.sent_by
        if story.leaderless:
            return LIAISONS[story.commune]
        return SUPERVISOR_OF[story.lead] if story.number % 19 == 0 and not story.same_client_as else story.lead

    def _intake(self, story: Story, course: Course) -> CaseCreate:
        draws, ids = self.draws, self.stage.ids
        client, client_id, village = self._client(story)
        hidden_from = story.excluded_at_intake
        told = story.category is Category.DOMESTIC_VIOLENCE and not course.tells_later
        return CaseCreate(
            category=story.category,
            client=client,
            client_id=client_id,
            commune_code=story.commune,
            village_code=village,
            priority=draws.one_of(PRIORITIES),
            summary=summary(draws, story.category),
            safe_contact=safe_contact(draws, day_of(story.opened)) if story.sensitive else None,
            referred_from=ReferredFrom.CCWC if story.leaderless else draws.one_of(SOURCES),
            organisation_id=ids.organisations[ORGANISATION_OF[story.lead]],
            lead_id=None if story.leaderless else ids.users[story.lead],
            incident=incident(draws, story.opened) if told else None,
            consents=[] if client and client.alias else list(self._consents(story)),
            excluded_user_ids=[ids.users[hidden_from]] if hidden_from else [],
        )

    def _client(self, story: Story) -> tuple[PersonCreate | None, UUID | None, str]:
        """Somebody new, somebody of the register, or the client of an earlier case; and the village."""
        if story.same_client_as is not None:
            return None, self._clients[story.same_client_as], story.village
        if story.status is CaseStatus.INTAKE and story.sensitive and not story.leaderless and story.number % 2:
            return unnamed(self.draws, story.village), None, story.village
        registered = self._registered.get((ORGANISATION_OF[story.lead], story.commune), [])
        if registered and story.number % 4 == 0 and not story.leaderless:
            person_id, village = registered.pop()  # nobody twice: cases of one client share their exclusions
            return None, person_id, village
        return person(self.draws, story.village, day_of(story.opened)), None, story.village

    def _consents(self, story: Story) -> Iterator[ConsentCreate]:
        today = day_of(story.opened)
        form = self.draws.one_of(FORMS)
        # Also where it ends at the intake: without her consent such a case would be erased after seven days.
        yield ConsentCreate(purpose=ConsentPurpose.SERVICES, form=form, obtained_on=today)
        if story.statistics != "none":
            last = max(today, min(today + timedelta(days=120), story.until - timedelta(days=2)))
            expires = last if story.statistics == "expired" else None
            yield ConsentCreate(purpose=ConsentPurpose.STATISTICS, form=form, obtained_on=today, expires_on=expires)


def _moments(draws: Draws, story: Story, acts: Sequence[Act]) -> Iterator[datetime]:
    """A moment for each act, in order: on working days after the opening, the last visit on the last day."""
    days = weekdays(day_of(story.opened) + timedelta(days=1), story.until) or [day_of(story.opened)]
    visits = sum(not act.soon for act in acts)
    visited = iter([*sorted(draws.choices(days, k=max(0, visits - 1))), days[-1]])
    before = story.opened
    for act in acts:
        pause = timedelta(minutes=draws.randint(2, 11) * 5)
        before = before + pause if act.soon else max(draws.at_work(next(visited)), before + pause)
        yield before
