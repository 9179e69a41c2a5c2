"""Screening: perpetrators against users, in the transaction that changes either side, and the answer to what met.

The tables are closed to the API's database role; the definer functions of 057_screening.sql hold the rules.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.db import fetch, run
from app.errors import Cause, Conflict, Forbidden, NotFound
from app.models.base import Page
from app.models.case import Colleague
from app.models.codes.walls import ScreeningAnswer
from app.models.screening import MatchAnswer, MatchRead
from app.models.user import User
from app.paging import Cursor, ListQuery, cut
from app.permissions import Permission
from app.screening_tokens import ScreeningTokens
from app.sealing import load_keys, ring_of
from app.security import Actor, require_step_up
from app.services.events import record
from app.services.standing import standing_for

HOLD = "select lock_client_graph()"
SCREEN = "select screen_incident(%(incident)s, %(tokens)s::bigint[])"
IS_SCREENED = "select is_screened(%(user)s) as known"
PUT = """
    select put_user_tokens(%(user)s, %(names)s::bigint[], %(phones)s::bigint[], %(relations)s::bigint[], %(wanted)s)
"""
KNOWN = """
    select * from screening_known(only_case => %(case_id)s, only_match => %(match_id)s, open_only => %(open_only)s,
                                  before_at => %(before_at)s, before_id => %(before_id)s, at_most => %(at_most)s)
"""
ANSWER = "select answer_match(%(case_id)s, %(match_id)s, %(same)s, %(why)s) as outcome"
MATCHES = "screening_matches"


class MatchQuery(ListQuery):
    """Which matches: those that wait for an answer, or all."""

    status: Literal["open", "all"] = "all"


def tokens_of(session: AsyncSession) -> ScreeningTokens:
    """Makes the tokens of this installation."""
    tokens: ScreeningTokens = session.info["screening"]
    return tokens


async def hold_client_graph(session: AsyncSession) -> None:
    """Taken before any case is locked by who is about to screen: another order could deadlock with an exclusion."""
    await run(session, HOLD, {})


async def screen_incident(session: AsyncSession, incident_id: UUID, told: Iterable[Mapping[str, Any]]) -> None:
    """Compare the perpetrators of an incident that is flushed (`Perpetrator` as JSON) with every user.

    As the last thing of the writing: the caller may be who meets, and then sees nothing more of the case.
    """
    tokens = sorted(tokens_of(session).perpetrators(told))
    await run(session, SCREEN, {"incident": incident_id, "tokens": tokens})


async def put_user_tokens(
    session: AsyncSession,
    user_id: UUID,
    *,
    names: Iterable[str],
    phones: Iterable[str] = (),
    relations: Iterable[str] = (),
    wanted: bool = False,
) -> None:
    """What a user is found by from now on, compared with every perpetrator; `wanted`: once it is confirmed."""
    tokens = tokens_of(session)
    values = {
        "user": user_id,
        "names": sorted(tokens.names(names)),
        "phones": sorted(tokens.phones(phones)),
        "relations": sorted(tokens.names(relations)),
        "wanted": wanted,
    }
    await run(session, PUT, values)


async def keep_screened(session: AsyncSession, user: User) -> None:
    """Screen, before they are put on a case, a user of whom nothing is known yet: by the name that colleagues see."""
    if not (await fetch(session, IS_SCREENED, {"user": user.id}))[0].known:
        await put_user_tokens(session, user.id, names=[user.display_name])


async def list_matches(session: AsyncSession, query: MatchQuery) -> Page[MatchRead]:
    """The matches that the caller may know of, on whichever case, newest first."""
    page = await _page(session, query, None)
    for item in page.items:
        touched(session, item.case_id, "screening")
    return page


async def list_matches_of(session: AsyncSession, case_id: UUID, query: MatchQuery) -> Page[MatchRead]:
    """The same of one case; 404 and 403 as for its exclusions."""
    await standing_for(session, case_id, Permission.SCREENING_READ)
    return await _page(session, query, case_id)


async def read_match(session: AsyncSession, case_id: UUID, match_id: UUID) -> MatchRead:
    """One match; 404 when it is not of this case, or is about the caller."""
    await standing_for(session, case_id, Permission.SCREENING_READ)
    return await _one(session, case_id, match_id)


async def answer(session: AsyncSession, actor: Actor, case_id: UUID, match_id: UUID, said: MatchAnswer) -> MatchRead:
    """Say whether it is the same person (a relative): then an exclusion stands; somebody else: then nothing does.

    403 for a supervisor while the case has a lead whom the match did not take away; 409 when it is answered already.
    """
    standing = await standing_for(session, case_id, Permission.SCREENING_ANSWER)
    standing.require_more_than_broken_glass()
    await _one(session, case_id, match_id)
    require_step_up(actor)
    why = ring_of(session).seal(MATCHES, match_id, case_id, {"reason": said.reason})
    same = said.answer is ScreeningAnswer.SAME_PERSON
    parameters = {"case_id": case_id, "match_id": match_id, "same": same, "why": why}
    outcome = (await fetch(session, ANSWER, parameters))[0].outcome
    if outcome is None:
        raise NotFound
    if outcome == "not_asked":
        raise Forbidden
    if outcome == "answered_before":
        raise Conflict(Cause.ANSWERED)
    await record(
        session,
        actor,
        "screening.answered",
        case_id=case_id,
        organisation_id=standing.organisation_id,
        subject_id=match_id,
        for_oversight=True,
        data={"answer": said.answer.value},
        reason=said.reason,
    )
    return await _one(session, case_id, match_id)


async def _one(session: AsyncSession, case_id: UUID, match_id: UUID) -> MatchRead:
    rows = await fetch(session, KNOWN, _asked(case_id, match_id))
    if not rows:
        raise NotFound
    return _read(session, rows[0])


async def _page(session: AsyncSession, query: MatchQuery, case_id: UUID | None) -> Page[MatchRead]:
    place = Cursor.decode(query.cursor)
    asked = {
        **_asked(case_id, None),
        "open_only": query.status == "open",
        "before_at": place.at if place else None,
        "before_id": place.id if place else None,
        "at_most": query.limit + 1,
    }
    rows = await fetch(session, KNOWN, asked)
    shown, cursor = cut(rows, query.limit, lambda row: Cursor(row.found_at, row.id))
    await load_keys(session, (row.case_id for row in shown if row.sealed))
    return Page[MatchRead](items=[_read(session, row) for row in shown], next_cursor=cursor)


def _asked(case_id: UUID | None, match_id: UUID | None) -> dict[str, Any]:
    everything = {"open_only": False, "before_at": None, "before_id": None, "at_most": 1}
    return {"case_id": case_id, "match_id": match_id, **everything}


def _read(session: AsyncSession, row: Any) -> MatchRead:
    answered_by = Colleague(id=row.answerer_id, display_name=row.answerer_name) if row.answerer_id else None
    return MatchRead(
        id=row.id,
        case_id=row.case_id,
        case_code=row.case_code,
        user=Colleague(id=row.user_id, display_name=row.user_name),
        user_id=row.user_id,
        kinds=row.kinds,
        status=row.status,
        found_at=row.found_at,
        answered_at=row.answered_at,
        answered_by=answered_by,
        reason=ring_of(session).open(MATCHES, row.id, row.case_id, row.sealed).get("reason"),
    )
