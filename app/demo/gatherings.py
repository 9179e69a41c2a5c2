"""The activities of a quarter, as caseworkers write them down: who came, by name, and what began there."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from app.calendar import day_of
from app.demo.draws import Draws, weekdays
from app.demo.invented import villages_of, woman
from app.demo.places import COMMUNES
from app.demo.programme import LEARNING, PLACES, WORKSHOPS, Quarter, Session, pools_of, sessions_of, spread
from app.demo.programme_words import COUNTED_HOW, FACILITATORS, TOPICS
from app.demo.stage import Stage
from app.models.activity import ActivityCreate, Attendance, AttendanceCell, Campaign, GroupCount, Participant
from app.models.business import BusinessCreate
from app.models.codes.people import AgeBand, Sex
from app.models.codes.programme import ActivityKind, BusinessKind, CampaignChannel, ParticipantGroup
from app.services.activities import add_activity
from app.services.businesses import add_business
from app.services.people import add_to_register
from app.services.register_people import people_at

# Activities at which leaders may promise, with their day, by the place of their commune.
Meetings = dict[int, list[tuple[UUID, date]]]
RECORDERS = ("caseworker1", "caseworker2")  # whose communes take turns
SMART = ParticipantGroup.SMART_WOMAN
CHANNELS = {CampaignChannel.TUK_TUK: 6, CampaignChannel.LOUDSPEAKER: 1}
MEN = {ParticipantGroup.LOCAL_LEADER: 3, ParticipantGroup.HEALTH_WORKER: 2, ParticipantGroup.COMMUNITY_MEMBER: 4}
STARTED = {
    BusinessKind.LIVESTOCK: 20,
    BusinessKind.FOOD_STALL: 12,
    BusinessKind.RETAIL: 9,
    BusinessKind.VEGETABLE_FARMING: 8,
    BusinessKind.BARBERING: 3,
    BusinessKind.MOTORBIKE_REPAIR: 2,
    BusinessKind.HANDICRAFT: 2,
}


def recorder_of(place: int) -> str:
    """Who writes down what happens in one of the six communes."""
    return RECORDERS[place % len(RECORDERS)]


@dataclass
class Village:
    """The women of one commune whom the register knows, in the order in which they first came."""

    women: list[UUID] = field(default_factory=list)
    smart: list[UUID] = field(default_factory=list)

    def choose_smart(self, size: int, workshops: Sequence[Sequence[UUID]]) -> None:
        """So many Smart Women of those who come to these workshops: who was one stays one."""
        coming = dict.fromkeys(one for who in workshops for one in who)
        self.smart = sorted(coming, key=lambda one: one not in self.smart)[:size]


class Gatherings:
    """Tells the activities; keeps who is known in each commune from quarter to quarter."""

    def __init__(self, stage: Stage, draws: Draws) -> None:
        self.stage, self.draws = stage, draws
        self.villages = [Village() for _ in range(PLACES)]

    async def tell(self, quarter: Quarter) -> Meetings:
        """Every activity and business of the quarter; gives the activities at which leaders may promise, by place."""
        sessions = sessions_of(quarter, self.draws)
        seats = [await self._seats(quarter, place, size) for place, size in enumerate(pools_of(quarter, sessions))]
        planned = [
            (one, [next(seats[one.place]) for _ in range(one.women)] if one.kind in LEARNING else self._some(one))
            for one in sessions
        ]
        for place, size in enumerate(spread(quarter.smart_women, PLACES)):
            self.villages[place].choose_smart(
                size, [who for one, who in planned if one.place == place and one.kind in WORKSHOPS]
            )
        meetings: Meetings = {}
        trainings: dict[int, list[tuple[UUID, date, list[UUID]]]] = {}
        for (one, who), day in zip(planned, self._days(quarter, len(sessions)), strict=True):
            made = await self._write(one, day, who)
            if one.kind is ActivityKind.BUSINESS_TRAINING:
                trainings.setdefault(one.place, []).append((made, day, who))
            if one.kind not in LEARNING:
                meetings.setdefault(one.place, []).append((made, day))
        await self._campaigns(quarter)
        await self._businesses(quarter, trainings)
        return meetings

    async def _seats(self, quarter: Quarter, place: int, size: int) -> Iterator[UUID]:
        """The women of a commune, again and again in the same order: each comes, and nobody twice to one activity."""
        known = self.villages[place].women
        kept = min(len(known), quarter.returning * size // quarter.women)
        new = [await self._register(place, quarter.first) for _ in range(size - kept)]
        known += new
        return _again_and_again([*known[:kept], *new])

    async def _register(self, place: int, day: date) -> UUID:
        commune = COMMUNES[place]
        village = self.draws.choice(villages_of(commune))
        at = self.draws.at_work(day)
        actor = await self.stage.enter(recorder_of(place), at)
        return (await add_to_register(self.stage.session, actor, woman(self.draws, village, day_of(at)))).id

    def _some(self, one: Session) -> list[UUID]:
        """Women who meet leaders: of those known there, somebody else at each meeting."""
        known = self.villages[one.place].women
        start = self.draws.randint(0, len(known) - 1)
        return [known[(start + number) % len(known)] for number in range(one.women)]

    def _days(self, quarter: Quarter, count: int) -> Sequence[date]:
        days = weekdays(quarter.first + timedelta(days=3), quarter.last - timedelta(days=3))
        return [days[number * 37 % len(days)] for number in range(count)]

    async def _write(self, one: Session, day: date, who: Sequence[UUID]) -> UUID:
        session, draws = self.stage.session, self.draws
        actor = await self.stage.enter(recorder_of(one.place), draws.at_work(day))
        groups = {own_id: SMART if own_id in self.villages[one.place].smart else None for own_id in who}
        people = await people_at(session, who, day, "/participants/{}")
        came = Counter((person.sex, person.age_band, person.disability) for person in people.values())
        men = draws.randint(0, 3) if one.kind in LEARNING else draws.randint(3, 7)
        came[Sex.MALE, AgeBand.UNKNOWN, None] += men
        counted = Counter(group for group in groups.values() if group) + Counter(
            {draws.one_of(MEN): men} if men else {}
        )
        wanted = ActivityCreate(
            kind=one.kind,
            starts_on=day,
            commune_code=COMMUNES[one.place],
            topics=draws.sample(TOPICS[one.kind], 2),
            facilitators=FACILITATORS[one.kind],
            attendance=Attendance(
                total=came.total(),
                by=[
                    AttendanceCell(sex=sex, age_band=band, disability=disability, people=count)
                    for (sex, band, disability), count in came.items()
                    if count
                ],
                groups=[GroupCount(group=group, people=count) for group, count in counted.items()],
            ),
            participants=[Participant(person_id=own_id, group=group) for own_id, group in groups.items()],
        )
        return (await add_activity(session, actor, wanted)).id

    async def _campaigns(self, quarter: Quarter) -> None:
        for number, reach in enumerate(quarter.campaigns):
            day = self._days(quarter, 60)[11 * number + 5]
            actor = await self.stage.enter(recorder_of(number), self.draws.at_work(day))
            wanted = ActivityCreate(
                kind=ActivityKind.MEDIA_CAMPAIGN,
                starts_on=day,
                commune_code=COMMUNES[number % PLACES],
                topics=self.draws.sample(TOPICS[ActivityKind.MEDIA_CAMPAIGN], 1),
                facilitators=FACILITATORS[ActivityKind.MEDIA_CAMPAIGN],
                campaign=Campaign(channel=self.draws.one_of(CHANNELS), reach=reach, counted_how=COUNTED_HOW),
            )
            await add_activity(self.stage.session, actor, wanted)

    async def _businesses(self, quarter: Quarter, trainings: dict[int, list[tuple[UUID, date, list[UUID]]]]) -> None:
        """Each by another woman, some weeks after a training to which she came."""
        places = sorted(trainings)
        for place, count in zip(places, spread(quarter.businesses, len(places)), strict=True):
            training, day, who = min(trainings[place], key=lambda one: one[1])
            for owner in who[:count]:
                started = min(day + timedelta(days=self.draws.randint(5, 40)), quarter.last)
                actor = await self.stage.enter(recorder_of(place), self.draws.at_work(started))
                wanted = BusinessCreate(
                    kind=self.draws.one_of(STARTED),
                    owner_id=owner,
                    started_on=started,
                    activity_id=training,
                    commune_code=COMMUNES[place],
                )
                await add_business(self.stage.session, actor, wanted)


def _again_and_again(women: Sequence[UUID]) -> Iterator[UUID]:
    while True:
        yield from women
