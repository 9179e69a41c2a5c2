"""Feedback on public services: anonymous; its words are for who wrote them down and for supervisors."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models.base import Page
from app.models.codes.people import Sex
from app.models.codes.programme import PublicService, Sentiment
from app.models.feedback import Feedback, FeedbackCreate, FeedbackPrivate, FeedbackRead, FeedbackUpdate, GivenBy
from app.policy import forbid, takes_feedback_on
from app.preconditions import check_match
from app.sealing import load_keys, opened, ring_of, seal, write_key
from app.security import Actor
from app.services.records import (
    RecordQuery,
    as_written,
    begun,
    check_counted_day,
    check_day,
    check_own_commune,
    check_where,
    keeps,
    record_page,
    record_row,
    recorders,
    row_to_change,
)

PART = "feedback"
_WORDS = set(FeedbackPrivate.model_fields)
_PLAIN = {"public_service", "commune_code", "village_code", "sentiment", "given_on", "responded_on"}
_GIVEN = {"sex": "given_sex", "age_band": "given_age_band", "people": "given_people"}


class FeedbackQuery(RecordQuery):
    """`sex`: of who gave it; `responded`: with an answer, or without."""

    public_service: PublicService | None = None
    sentiment: Sentiment | None = None
    sex: Sex | None = None
    responded: bool | None = None


async def list_feedback(session: AsyncSession, actor: Actor, query: FeedbackQuery) -> Page[FeedbackRead]:
    """The organisation's, newest first."""
    columns: Any = Feedback
    statement = select(Feedback).where(col(Feedback.organisation_id) == actor.organisation_id)
    if query.sex is not None:
        statement = statement.where(columns.given_sex == query.sex)
    if query.responded is not None:
        statement = statement.where(columns.responded_on.is_not(None) == query.responded)
    rows, cursor = await record_page(session, actor, Feedback, query, ["public_service", "sentiment"], statement)
    return Page[FeedbackRead](items=await _reads(session, actor, rows), next_cursor=cursor)


async def read_feedback(session: AsyncSession, actor: Actor, feedback_id: UUID) -> FeedbackRead:
    """One; its words for its recorder and for supervisors."""
    return (await _reads(session, actor, [await record_row(session, Feedback, feedback_id)]))[0]


async def add_feedback(session: AsyncSession, actor: Actor, wanted: FeedbackCreate) -> FeedbackRead:
    """Write it down. 403 for a liaison on the commune office or the police."""
    fields = wanted.model_dump(include=_PLAIN) | _given(wanted.given_by)
    row = Feedback(**begun(actor, wanted.recorded_at), **fields)
    await _check(session, actor, row, set(FeedbackCreate.model_fields))
    ring = ring_of(session)
    ring.make(row.id)
    seal(session, row, wanted.model_dump(include=_WORDS))
    session.add(row)
    await session.flush()
    await write_key(session, row.id, row.organisation_id, None, part=PART)
    return (await _reads(session, actor, [row]))[0]


async def edit_feedback(
    session: AsyncSession, actor: Actor, feedback_id: UUID, change: FeedbackUpdate, if_match: str | None
) -> FeedbackRead:
    """Merge the fields sent. 404, 403, then 428/412."""
    row = await row_to_change(session, actor, Feedback, feedback_id)
    check_match(if_match, row.version)
    sent = change.sent()
    if sent:
        changes = {name: sent[name] for name in sent.keys() & _PLAIN}
        if "given_by" in sent:
            changes |= _given(change.given_by)
        wanted = Feedback(**row.model_dump() | changes)
        await _check(session, actor, wanted, set(sent))
        row.sqlmodel_update(changes)
        if words := sent.keys() & _WORDS:
            await load_keys(session, [row.id])
            seal(session, row, {**opened(session, row), **{name: sent[name] for name in words}})
        row.touch(actor.now)
        await session.flush()
    return (await _reads(session, actor, [row]))[0]


async def delete_feedback(session: AsyncSession, actor: Actor, feedback_id: UUID, if_match: str | None) -> None:
    """Take it away, with the key of its words."""
    row = await row_to_change(session, actor, Feedback, feedback_id)
    check_match(if_match, row.version)
    await session.delete(row)
    await session.flush()


async def _check(session: AsyncSession, actor: Actor, row: Feedback, sent: set[str]) -> None:
    forbid(not takes_feedback_on(actor.role, row.public_service))
    check_counted_day(actor, row.given_on, "given_on")
    check_day(actor, row.responded_on, "responded_on", after=row.given_on)
    if sent & {"commune_code", "village_code"}:
        check_own_commune(actor, row.commune_code)
        await check_where(session, actor, row.commune_code, row.village_code)


def _given(by: GivenBy) -> dict[str, Any]:
    return {column: getattr(by, name) for name, column in _GIVEN.items()}


async def _reads(session: AsyncSession, actor: Actor, rows: Sequence[Feedback]) -> list[FeedbackRead]:
    kept = {row.id for row in rows if keeps(actor, row)}
    await load_keys(session, kept)
    people = await recorders(session, rows)
    return [
        FeedbackRead(
            **as_written(row, people[row.created_by]),
            **row.model_dump(include=_PLAIN),
            given_by=GivenBy(**{name: getattr(row, column) for name, column in _GIVEN.items()}),
            **FeedbackPrivate.model_validate(opened(session, row) if row.id in kept else {}).model_dump(),
        )
        for row in rows
    ]
