"""What caseworkers bring home from the villages: visits, promises, what women say of services, relief given out."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from app.demo.draws import Draws, weekdays
from app.demo.gatherings import Meetings, recorder_of
from app.demo.invented import household, villages_of, written
from app.demo.places import COMMUNES
from app.demo.programme import PLACES, Quarter, shares
from app.demo.programme_words import ANSWERED, KEPT, NOT_KEPT, PROMISES, RELIEF, SAID
from app.demo.stage import Stage
from app.models.codes.people import AgeBand, Sex
from app.models.codes.programme import (
    CommitmentBy,
    CommitmentStatus,
    DistributionCause,
    HomeVisitOutcome,
    PublicService,
    Sentiment,
    Topic,
)
from app.models.commitment import CommitmentCreate
from app.models.distribution import DistributionCreate
from app.models.feedback import FeedbackCreate, GivenBy
from app.models.home_visit import HomeVisitCreate
from app.services.commitments import add_commitment
from app.services.distributions import add_distribution
from app.services.feedback import add_feedback
from app.services.home_visits import add_visit
from app.services.households import add_household

VISITED_FOR = {
    Topic.FINANCIAL_HARDSHIP: 9,
    Topic.FAMILY_PLANNING: 6,
    Topic.DOMESTIC_VIOLENCE: 3,
    Topic.NUTRITION: 4,
    Topic.ID_POOR: 3,
}
OUTCOMES = {
    HomeVisitOutcome.ADVICE_GIVEN: 12,
    HomeVisitOutcome.NO_NEED: 4,
    HomeVisitOutcome.FOLLOW_UP_PLANNED: 3,
    HomeVisitOutcome.REFERRED: 1,
    HomeVisitOutcome.REFUSED: 1,
}
PROMISED_BY = {
    CommitmentBy.CCWC: 5,
    CommitmentBy.COMMUNE_CHIEF: 4,
    CommitmentBy.VILLAGE_CHIEF: 4,
    CommitmentBy.POLICE_POST: 1,
}
BECAME = {CommitmentStatus.KEPT: 5, CommitmentStatus.BROKEN: 2, CommitmentStatus.OPEN: 3}
FELT = {Sentiment.POSITIVE: 4, Sentiment.MIXED: 4, Sentiment.NEGATIVE: 3}
BANDS = {
    AgeBand.FROM_18_TO_29: 4,
    AgeBand.FROM_30_TO_44: 5,
    AgeBand.FROM_45_TO_59: 3,
    AgeBand.FROM_60: 2,
    AgeBand.UNKNOWN: 1,
}


class Rounds:
    """Tells one quarter after the other; keeps the households that are known in each commune."""

    def __init__(self, stage: Stage, draws: Draws) -> None:
        self.stage, self.draws = stage, draws
        self.homes: list[tuple[UUID, int]] = []

    async def tell(self, quarter: Quarter, meetings: Meetings) -> None:
        """Everything beside the activities; `meetings` by place are where leaders promised."""
        while len(self.homes) < max(quarter.families, quarter.relief):
            await self._find_home(len(self.homes) % PLACES, quarter.first)
        await self._visits(quarter)
        await self._promises(quarter, meetings)
        await self._words(quarter)
        await self._relief(quarter)

    async def _find_home(self, place: int, day: date) -> None:
        village = self.draws.choice(villages_of(COMMUNES[place]))
        actor = await self.stage.enter(recorder_of(place), self.draws.at_work(day))
        made = await add_household(self.stage.session, actor, household(self.draws, village))
        self.homes.append((made.id, place))

    async def _visits(self, quarter: Quarter) -> None:
        homes = self.homes[-quarter.families :]
        days = weekdays(quarter.first, quarter.last)
        for number, (home, place) in enumerate([*homes, *homes[: quarter.visited_again]]):
            # A second visit comes in the last third, so after the first.
            day = days[number * 31 % (len(days) * 2 // 3)] if number < len(homes) else days[-1 - number % 20]
            actor = await self.stage.enter(recorder_of(place), self.draws.at_work(day))
            outcome = self.draws.one_of(OUTCOMES)
            again = outcome is HomeVisitOutcome.FOLLOW_UP_PLANNED
            wanted = HomeVisitCreate(
                household_id=home,
                visited_on=day,
                topics=[self.draws.one_of(VISITED_FOR)],
                outcome=outcome,
                next_visit_on=day + timedelta(days=14) if again else None,
            )
            await add_visit(self.stage.session, actor, wanted)

    async def _promises(self, quarter: Quarter, meetings: Meetings) -> None:
        issues = list(PROMISES)
        for number in range(quarter.commitments):
            place = sorted(meetings)[number % len(meetings)]
            issue = issues[number % len(issues)]
            activity, made = meetings[place][number % len(meetings[place])]
            due = made + timedelta(days=30)
            became = self.draws.one_of(BECAME) if due < quarter.last else CommitmentStatus.OPEN
            settled = became is not CommitmentStatus.OPEN
            on = due + timedelta(days=3) if settled else made
            actor = await self.stage.enter(recorder_of(place), self.draws.at_work(on))
            wanted = CommitmentCreate(
                promised_by=self.draws.one_of(PROMISED_BY),
                commune_code=COMMUNES[place],
                issue=issue,
                what=written(self.draws, [PROMISES[issue]]),
                activity_id=activity,
                made_on=made,
                due_on=due,
                status=became,
                status_on=on if settled else None,
                evidence=self._evidence(became),
            )
            await add_commitment(self.stage.session, actor, wanted)

    def _evidence(self, became: CommitmentStatus) -> str | None:
        texts = {CommitmentStatus.KEPT: [KEPT], CommitmentStatus.BROKEN: [NOT_KEPT]}
        return written(self.draws, texts[became]) if became in texts else None

    async def _words(self, quarter: Quarter) -> None:
        """What groups of women say, and a few men."""
        groups: Sequence[int] = shares(self.draws, quarter.feedback, quarter.feedback // 3)
        said = [(Sex.FEMALE, people) for people in groups] + [(Sex.MALE, 2), (Sex.MALE, 1)]
        services: list[PublicService] = list(SAID)
        for number, (sex, people) in enumerate(said):
            service, day = services[number % len(services)], self._day(quarter, number)
            answered = self.draws.chance(0.3) and day + timedelta(days=20) <= quarter.last
            on = day + timedelta(days=20) if answered else day
            actor = await self.stage.enter(recorder_of(number), self.draws.at_work(on))
            wanted = FeedbackCreate(
                public_service=service,
                commune_code=COMMUNES[number % PLACES],
                sentiment=self.draws.one_of(FELT),
                given_on=day,
                given_by=GivenBy(sex=sex, age_band=self.draws.one_of(BANDS), people=people),
                text=written(self.draws, [SAID[service]]),
                response=written(self.draws, [ANSWERED]) if answered else None,
                responded_on=on if answered else None,
            )
            await add_feedback(self.stage.session, actor, wanted)

    async def _relief(self, quarter: Quarter) -> None:
        """In the last weeks of the quarter, to the households that were found first."""
        for number, (home, place) in enumerate(self.homes[: quarter.relief]):
            day = quarter.last - timedelta(days=number % 10)
            item = self.draws.choice(list(RELIEF))
            actor = await self.stage.enter(recorder_of(place), self.draws.at_work(day))
            wanted = DistributionCreate(
                household_id=home,
                cause=DistributionCause(quarter.cause),
                item=item,
                quantity=self.draws.randint(*RELIEF[item]),
                distributed_on=day,
            )
            await add_distribution(self.stage.session, actor, wanted)

    def _day(self, quarter: Quarter, number: int) -> date:
        days = weekdays(quarter.first, quarter.last)
        return days[number * 17 % len(days)]
