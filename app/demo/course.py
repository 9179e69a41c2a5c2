"""The course of one case of the demo, from the first visit to where it stands: a list of acts in order."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from app.demo.acts import (
    Act,
    assignment,
    consent,
    due,
    exclusion,
    lifting,
    new_incident,
    new_person,
    note,
    step,
    withdrawal,
)
from app.demo.cast import CastIds
from app.demo.draws import Draws
from app.demo.helping import help_in
from app.demo.invented import child, written
from app.demo.names import NOTES
from app.demo.planning import assessment, looked_at_risks, no_more_contacts, planned_step, safety_plan, visited
from app.demo.referring import refer_in
from app.demo.stories import SUPERVISOR_OF, Story
from app.models.case import Closure
from app.models.codes.cases import AssignmentRole, CaseStatus, Category, ClosureReason, NoteAudience, Outcome
from app.models.codes.consents import ConsentForm, ConsentPurpose
from app.models.codes.walls import ExclusionReason
from app.services.closing import TOLD_THAT_SHE_MAY_RETURN

S = CaseStatus
WAY = (S.INTAKE, S.ASSESSMENT, S.PLANNING, S.IMPLEMENTATION, S.FOLLOW_UP, S.CLOSURE_REQUESTED, S.CLOSED)
FORMS = {ConsentForm.WRITTEN: 3, ConsentForm.THUMBPRINT: 4, ConsentForm.VERBAL: 3}
REASONS = {
    ClosureReason.NEEDS_MET: 14,
    ClosureReason.CLIENT_REQUEST: 3,
    ClosureReason.MOVED_AWAY: 2,
    ClosureReason.TRANSFERRED: 1,
}
AT_INTAKE = {ClosureReason.DECLINED: 3, ClosureReason.NOT_ELIGIBLE: 2, ClosureReason.DUPLICATE: 1}
OUTCOMES = {Outcome.RESOLVED: 5, Outcome.IMPROVED: 7, Outcome.UNCHANGED: 2, Outcome.UNKNOWN: 1}
COLLEAGUE_OF = {"caseworker1": "caseworker2", "caseworker2": "caseworker1"}


class Course:
    """Tells one story: `acts()` after its opening, as the people of the cast."""

    def __init__(self, story: Story, draws: Draws, ids: CastIds, now: datetime) -> None:
        self.story, self.draws, self.now = story, draws, now
        self.users, self.organisations = ids.users, ids.organisations
        self.lead, self.supervisor = story.lead, SUPERVISOR_OF[story.lead]

    @property
    def closed_at_intake(self) -> bool:
        """A few are closed as soon as it is clear that this is not for the programme."""
        return self.story.status is S.CLOSED and self.story.number % 11 == 0 and self.story.excluded is None

    @property
    def tells_later(self) -> bool:
        """A client of domestic violence may speak of what happened only after a while."""
        violence = self.story.category is Category.DOMESTIC_VIOLENCE and not self.story.leaderless
        return violence and self.story.number % 3 == 0 and not self.closed_at_intake

    def acts(self) -> Iterator[Act]:
        """Everything that happens; nothing in a case that nobody leads."""
        if self.story.leaderless:
            return
        if self.closed_at_intake:
            yield step(self.lead, S.CLOSED, closure=self._closure(AT_INTAKE))
            return
        yield from self._first_visits()
        yield from self._support()
        yield from self._exclusions()
        yield from help_in(self.story, self.lead, self.supervisor)
        yield from refer_in(self.story, self.lead, self.organisations)
        yield from self._way()
        yield from self._endings_of_consents()
        yield from self._today()

    def _first_visits(self) -> Iterator[Act]:
        story, number = self.story, self.story.number
        if self.tells_later:
            yield new_incident(self.lead, self.draws)
        if number % 5 == 0:
            yield new_person(self.lead, child(self.draws, story.village, story.opened.date()))
        if number % 6 == 1 and self.lead in COLLEAGUE_OF and story.excluded_at_intake is None:
            colleague = self.users[COLLEAGUE_OF[self.lead]]
            yield assignment(self.lead, colleague, AssignmentRole.CASEWORKER, "knows the village")

    def _support(self) -> Iterator[Act]:
        if (liaison := self.story.liaison) is None:
            return
        expires = {"expired": self.story.until - timedelta(days=3)}.get(self.story.support_ends or "")
        yield consent(self.lead, ConsentPurpose.CCWC_SUPPORT, self.draws.one_of(FORMS), expires)
        yield assignment(self.lead, self.users[liaison], AssignmentRole.LIAISON, "the committee can help", soon=True)
        yield self._note(liaison, NoteAudience.TEAM, soon=True)
        if self.story.recent:
            yield self._note(self.lead, NoteAudience.TEAM)

    def _exclusions(self) -> Iterator[Act]:
        if self.story.excluded is None:
            return
        excluded = self.users[self.story.excluded]
        yield exclusion(self.lead, excluded, ExclusionReason.RELATIVE_OF_PERPETRATOR)
        if self.story.exclusion_lifted:
            yield lifting(self.lead, "It was another person of the same name.")
            yield lifting(self.supervisor, "Checked with the client.")

    def _way(self) -> Iterator[Act]:
        reached = WAY[: WAY.index(self.story.status) + 1]
        if not self.story.sensitive and self.story.number % 2 and self.story.status not in WAY[1:3]:
            reached = tuple(status for status in reached if status not in WAY[1:3])
        if self.story.status is S.ASSESSMENT and self.story.number % 4 == 0:
            yield step(self.lead, S.CLOSED, closure=self._closure({ClosureReason.DECLINED: 1}))
            yield step(self.lead, S.ASSESSMENT, "She came back and asks for support after all.")
            return
        if self.story.status is S.CLOSED and self.story.number % 2:
            reached = tuple(status for status in reached if status is not S.FOLLOW_UP)
        for status in reached[1:]:
            yield from self._towards(status)
        if self.story.status is S.FOLLOW_UP and self.story.number % 2:
            yield from self._returned()

    def _towards(self, status: CaseStatus) -> Iterator[Act]:
        violence = self.story.category is Category.DOMESTIC_VIOLENCE
        if violence and status is S.PLANNING:
            yield assessment(self.lead, self.draws)
            yield safety_plan(self.lead)
        if status is S.CLOSURE_REQUESTED:
            if violence:
                yield safety_plan(self.lead, reviewed=True)
            yield self._request()
        elif status is S.CLOSED:
            if violence:
                yield no_more_contacts(self.lead)
            yield from self._decision(S.CLOSED, None)
        else:
            yield step(self.lead, status)
            if self.draws.chance(0.9 if self.story.recent else 0.25):
                yield self._note(self.lead)

    def _returned(self) -> Iterator[Act]:
        yield self._request()
        yield from self._decision(S.FOLLOW_UP, "One more visit first.")

    def _request(self) -> Act:
        closure = self._closure(REASONS)
        told = closure.informed_can_return is True
        reason = "Agreed with the client." if told else "Had left before the last visit."
        return step(self.lead, S.CLOSURE_REQUESTED, reason, closure)

    def _decision(self, to: CaseStatus, reason: str | None) -> Iterator[Act]:
        """A supervisor decides, who reviews a sensitive case for that; of a standard one the lead may."""
        if self.story.sensitive:
            own_id = self.users[self.supervisor]
            yield assignment(self.supervisor, own_id, AssignmentRole.REVIEWER, "closure")
            yield looked_at_risks(self.supervisor)
        by_lead = to is S.CLOSED and not self.story.sensitive and self.story.number % 3 == 0
        yield step(self.lead if by_lead else self.supervisor, to, reason, soon=self.story.sensitive)

    def _endings_of_consents(self) -> Iterator[Act]:
        if self.story.statistics == "withdrawn":
            yield withdrawal(self.lead, ConsentPurpose.STATISTICS, "Does not wish to be counted any more.")
        if self.story.liaison and self.story.support_ends == "withdrawn":
            yield withdrawal(self.lead, ConsentPurpose.CCWC_SUPPORT, "Prefers to be helped by the NGO alone.")

    def _today(self) -> Iterator[Act]:
        """What stands now: a colleague who stands in, a supervisor who looks, and the next date."""
        story = self.story
        if story.status is S.CLOSED:
            return
        if story.recent and self.lead == "caseworker1" and story.number % 2 and story.excluded_at_intake is None:
            back = self.now + timedelta(days=10)
            cover = self.users["caseworker2"]
            yield assignment(self.lead, cover, AssignmentRole.COVER, "on leave", until=back)
        yield self._note(self.lead)
        if story.category is Category.DOMESTIC_VIOLENCE:
            yield visited(self.lead)
        if story.recent and story.status in {S.PLANNING, S.IMPLEMENTATION}:
            yield planned_step(self.lead, self.draws, (self.now + timedelta(days=self.draws.randint(-2, 9))).date())
        if story.status is S.CLOSURE_REQUESTED and story.sensitive and story.number % 2:
            reviewer = self.users[self.supervisor]
            yield assignment(self.supervisor, reviewer, AssignmentRole.REVIEWER, "closure", soon=True)
        next_day = (self.now + timedelta(days=self.draws.randint(-6, 14))).date()
        yield due(self.lead, self.draws.at_work(self.draws.weekday(next_day, next_day + timedelta(days=2))))

    def _note(self, who: str, audience: NoteAudience | None = None, *, soon: bool = False) -> Act:
        return note(who, written(self.draws, NOTES[self.story.category]), audience, soon=soon)

    def _closure(self, reasons: dict[ClosureReason, int]) -> Closure:
        reason = self.draws.one_of(reasons)
        told: Literal[True, "not_possible"] = True if reason in TOLD_THAT_SHE_MAY_RETURN else "not_possible"
        return Closure(reason=reason, outcome=self.draws.one_of(OUTCOMES), informed_can_return=told)
