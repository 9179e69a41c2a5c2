"""The worklist: what somebody has to do today, most urgent first, over what they may see and no more.

Two statements find it: what there may be to do (`worklist_sources.py`), and the cases that it is about. What only
sealed fields can tell is judged afterwards (`worklist_judging.py`), and only what is shown is opened whole.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.calendar import day_of, start_of
from app.db import fetch
from app.labels import code_lists
from app.models.case import SafeContact
from app.models.codes.care import WorklistKind
from app.models.worklist import Reason, Worklist, WorklistItem, WorklistPlace
from app.relations import Relation
from app.sealing import ring_of
from app.security import Actor
from app.services.names import display_name
from app.services.visible import shown, summary_rows
from app.services.worklist_judging import Todo, contact_of, judged, said_of
from app.services.worklist_sources import CONSENT_ENDS_WITHIN, SOON, statement_for

MOST = 200
EXAMINED = 2 * MOST  # some fall away when they are looked into
RANK = {kind: place for place, kind in enumerate(WorklistKind)}
REASONS = {entry.code: Reason(en=entry.en, km=entry.km) for entry in code_lists()["worklist_kind"]}
AREAS = "select code, name_km, name_en from areas where code = any(%(codes)s)"


@dataclass(frozen=True, slots=True)
class _Card:
    """What is shown of one case that the caller sees."""

    code: str
    alias: str
    place_code: str
    said: SafeContact | None


async def worklist(session: AsyncSession, actor: Actor) -> Worklist:
    """Today's work of the caller, by the day in Phnom Penh."""
    rows = await fetch(session, statement_for(actor.role), _parameters(actor.now))
    cases = await summary_rows(session, {row.case_id for row in rows if row.case_id is not None}) if rows else {}
    looked_into = (judged(row, cases.get(row.case_id), ring_of(session), actor.now) for row in rows)
    todo = sorted(_each_once(one for one in looked_into if one is not None), key=_place)
    listed = todo[:MOST]
    cards = {case.id: _card(session, case, actor) for one in listed if (case := one.case) is not None}
    names = await _names(session, {card.place_code for card in cards.values()})
    items = [_item(session, one, cards.get(one.row.case_id), names, actor) for one in listed]
    return Worklist(items=items, more=len(todo) > MOST or len(rows) == EXAMINED)


def _parameters(now: datetime) -> dict[str, Any]:
    today = day_of(now)
    return {
        "today": today,
        "tomorrow": start_of(today + timedelta(days=1)),
        "consents_until": today + CONSENT_ENDS_WITHIN,
        "soon": now + SOON,
        "most": EXAMINED,
    }


def _place(one: Todo) -> tuple[int, bool, float, str]:
    """Where it stands: by kind, then by when it is due; what has no time comes last of its kind."""
    due = one.due_at.timestamp() if one.due_at else 0.0
    return RANK[one.kind], one.due_at is None, due, str(one.row.case_id or one.row.subject_id)


def _each_once(todo: Iterable[Todo]) -> Iterator[Todo]:
    """An incident with hours left for care is not told a second time as a new one."""
    found = list(todo)
    urgent = {one.row.subject_id for one in found if one.kind is WorklistKind.CARE_WINDOW}
    return (one for one in found if one.kind is not WorklistKind.NEW_INCIDENT or one.row.subject_id not in urgent)


def _card(session: AsyncSession, case: Any, actor: Actor) -> _Card:
    """A case that is about to be shown: by the alias where she has one, to a liaison as the liaison view names her."""
    access, ring = shown(session, case), ring_of(session)
    client = ring.open("people", case.client_id, case.id, case.client_sealed)
    alias = None if access.is_liaison else client.get("alias")
    private = ring.open("cases", case.id, case.id, case.sealed)
    return _Card(
        code=case.code,
        alias=alias or display_name(client, actor.language),
        place_code=private.get("village_code") or case.commune_code,
        said=said_of(private),
    )


async def _names(session: AsyncSession, codes: set[str]) -> dict[str, WorklistPlace]:
    if not codes:
        return {}
    rows = await fetch(session, AREAS, {"codes": list(codes)})
    return {row.code: WorklistPlace(code=row.code, name_km=row.name_km, name_en=row.name_en) for row in rows}


def _item(
    session: AsyncSession, one: Todo, card: _Card | None, names: dict[str, WorklistPlace], actor: Actor
) -> WorklistItem:
    """`card` is None where the caller knows the case as a stub only."""
    if card is None and one.row.case_id is not None:
        touched(session, one.row.case_id, Relation.STUB)
    overdue = bool(one.row.late) or (one.due_at is not None and one.due_at < actor.now)
    return WorklistItem(
        kind=one.kind,
        reason=REASONS[one.kind],
        due_at=one.due_at,
        due_week=one.row.due_week,
        overdue=overdue,
        case_id=one.row.case_id,
        case_code=card.code if card else one.row.code,
        alias=card.alias if card else None,
        place=names.get(card.place_code) if card else None,
        contact=contact_of(one, card.said if card else None, ring_of(session), actor.now),
        subject_id=one.row.subject_id,
    )
