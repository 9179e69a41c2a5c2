"""Writing the rows of an import as `opening`, `people` and `households` would write each, many at a time.

In one transaction for the whole import, as the uploader; a chunk at a time, so that memory stays flat.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.concurrency import run_in_threadpool

from app.bulk import insert_many
from app.db import run
from app.errors import Unavailable
from app.ids import new_case_code, new_id
from app.models.case import CaseCreate
from app.models.codes.cases import NoteAudience
from app.models.codes.files import ImportKind
from app.models.consent import ConsentCreate
from app.models.imports import Import
from app.models.person import HouseholdCreate, HouseholdPrivate, PersonCreate
from app.sealing import ring_of
from app.search_tokens import SearchTokens
from app.security import Actor
from app.services.first_date import first_row, first_within
from app.services.import_rows import Weighed
from app.services.intake_rows import Client, Opened, case_row, client_row, first_version, lead_row, place_of
from app.services.people import private_of
from app.services.search_index import tokens_of

KEYS = "vault.data_keys"
MOST_DRAWS = 10  # of the codes of a chunk
# In the order in which they are written: what is referred to, and what says who may, comes first.
TABLES = ("cases", KEYS, "households", "people", "search_tokens", "consents", "follow_ups", "events", "imported_rows")
Rows = dict[str, list[dict[str, Any]]]


async def write_rows(session: AsyncSession, actor: Actor, source: Import, rows: Sequence[Weighed]) -> list[Opened]:
    """Write these rows, which have no errors; gives the cases that were opened, whose leads are named at the end."""
    made: Rows = {table: [] for table in TABLES}
    opened = await run_in_threadpool(_make, session, actor, source, rows, made)
    await _write_cases(session, made.pop("cases"))
    for table, lines in made.items():
        await insert_many(session, table, lines)
    return opened


async def name_leads(session: AsyncSession, actor: Actor, opened: Sequence[Opened]) -> None:
    """The assignments of leads, from which access follows; the lead's own row stays locked from here to the end."""
    await insert_many(session, "assignments", [lead_row(actor, case) for case in opened])


async def _write_cases(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """A code that is taken, one in some 30,000 at a million cases, has the codes of the chunk drawn again."""
    for _ in range(MOST_DRAWS):
        await run(session, "savepoint drawn", {})
        coded = [{**row, "code": new_case_code()} for row in rows]
        if await insert_many(session, "cases", coded, if_free=True) == len(rows):
            await run(session, "release savepoint drawn", {})
            return
        await run(session, "rollback to savepoint drawn", {})
    raise Unavailable


def _make(session: AsyncSession, actor: Actor, source: Import, rows: Sequence[Weighed], made: Rows) -> list[Opened]:
    """The lines of every table, in a thread: sealing and hashing take longer than writing. Touches no connection."""
    opened = [_MAKERS[source.kind](session, actor, source, row, made) for row in rows]
    for row, case in zip(rows, opened, strict=True):
        known = {"id": new_id(), "organisation_id": source.organisation_id, "digest": row.digest}
        case_id = case.id if case else None
        made["imported_rows"].append({**known, "case_id": case_id, "created_at": actor.now, "created_by": actor.id})
    return [case for case in opened if case is not None]


def _make_case(session: AsyncSession, actor: Actor, source: Import, row: Weighed, made: Rows) -> Opened | None:
    intake: CaseCreate = row.row.body  # type: ignore[assignment]
    person: PersonCreate = intake.client  # type: ignore[assignment]  # a row of a register brings its client along
    case = Opened(new_id(), "", source.organisation_id, source.lead_id or actor.id, new_id())
    client = Client(private_of(person), person.sex, None, None)
    _add_key(session, case.id, source.organisation_id, case.id, made)
    if row.over_limit_reason is not None:
        case = replace(case, place=place_of(session, case, row.over_limit_reason))
    made["cases"].append(case_row(session, actor, intake, case, client))
    made["people"].append(client_row(session, actor, case, client))
    _add_tokens(tokens_of(session), case.client_id, case.id, source.organisation_id, client.private, made)
    for consent in intake.consents:
        _add_consent(actor, case, consent, made)
    made["events"].append(_event(actor, case, "case.opened", None, {}, NoteAudience.TEAM))
    first = first_row(session, actor, case, case.lead_id, first_within(session, intake.category))
    made["follow_ups"].append(first)
    made["events"].append(_event(actor, case, "follow_up.planned", first["id"], {}, NoteAudience.CASEWORKERS))
    ring_of(session).forget(case.id)
    return case


def _make_person(session: AsyncSession, actor: Actor, source: Import, row: Weighed, made: Rows) -> Opened | None:
    person: PersonCreate = row.row.body  # type: ignore[assignment]
    own_id, private = new_id(), private_of(person)
    _add_key(session, own_id, source.organisation_id, None, made)
    made["people"].append(
        {
            "id": own_id,
            "organisation_id": source.organisation_id,
            "case_id": None,
            "role": None,
            "sex": person.sex,
            "household_id": None,
            "sealed": ring_of(session).seal("people", own_id, own_id, private),
            **first_version(actor),
        }
    )
    _add_tokens(tokens_of(session), own_id, None, source.organisation_id, private, made)
    ring_of(session).forget(own_id)
    return None


def _make_household(session: AsyncSession, actor: Actor, source: Import, row: Weighed, made: Rows) -> Opened | None:
    household: HouseholdCreate = row.row.body  # type: ignore[assignment]
    own_id = new_id()
    _add_key(session, own_id, source.organisation_id, None, made)
    private = household.model_dump(mode="json", include=set(HouseholdPrivate.model_fields))
    made["households"].append(
        {
            "id": own_id,
            "organisation_id": source.organisation_id,
            "id_poor_level": household.id_poor_level,
            "size": household.size,
            "sealed": ring_of(session).seal("households", own_id, own_id, private),
            **first_version(actor),
        }
    )
    ring_of(session).forget(own_id)
    return None


_MAKERS: dict[ImportKind, Callable[[AsyncSession, Actor, Import, Weighed, Rows], Opened | None]] = {
    ImportKind.CASES: _make_case,
    ImportKind.PEOPLE: _make_person,
    ImportKind.HOUSEHOLDS: _make_household,
}


def _add_key(session: AsyncSession, home: UUID, organisation_id: UUID, case_id: UUID | None, made: Rows) -> None:
    ring = ring_of(session)
    ring.make(home)
    kek_id, wrapped = ring.wrapped(home)
    made[KEYS].append(
        {"home": home, "case_id": case_id, "organisation_id": organisation_id, "kek_id": kek_id, "wrapped": wrapped}
    )


def _add_tokens(
    maker: SearchTokens,
    person_id: UUID,
    case_id: UUID | None,
    organisation_id: UUID,
    private: Mapping[str, Any],
    made: Rows,
) -> None:
    whose = {"person_id": person_id, "case_id": case_id, "organisation_id": organisation_id}
    for kind, tokens in maker.of_person(private).items():
        made["search_tokens"] += [{**whose, "kind": kind.value, "token": token} for token in sorted(tokens)]


def _add_consent(actor: Actor, case: Opened, given: ConsentCreate, made: Rows) -> None:
    consent_id = new_id()
    made["consents"].append(
        {
            "id": consent_id,
            "case_id": case.id,
            "organisation_id": case.organisation_id,
            "recipient_id": given.organisation_id,
            **given.model_dump(mode="json", exclude={"organisation_id", "bypass"}),  # a register knows of no bypass
            **first_version(actor),
        }
    )
    about = {"purpose": given.purpose.value}
    made["events"].append(_event(actor, case, "consent.given", consent_id, about, NoteAudience.CASEWORKERS))


def _event(
    actor: Actor, case: Opened, kind: str, subject: UUID | None, data: Mapping[str, str], audience: NoteAudience
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "case_id": case.id,
        "organisation_id": case.organisation_id,
        "type": kind,
        "audience": audience,
        "at": actor.now,
        "actor_id": actor.id,
        "subject_id": subject,
        "data": dict(data),
    }
