"""Who of a register may be recorded already, among those whom the uploader sees; a human decides, nobody is merged."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.concurrency import run_in_threadpool

from app.db import fetch
from app.models.person import PersonCreate
from app.sealing import KeyRing, load_keys, ring_of
from app.search_tokens import SearchTokens, TokenKind
from app.services.case_rows import OWN_CASES
from app.services.matches import WEIGHTS, reasons_for, telling_tokens
from app.services.people import private_of
from app.services.search_index import tokens_of

ENOUGH = 50  # of the weights of `services.matches`: a whole name, and a year, a village or a telephone with it
MOST_OF_A_TOKEN = 3  # people looked at for one name or number: names repeat, and this says "perhaps"

# The row policies of search_tokens and people leave out whom the caller does not see; as in `services.search_index`
# nobody who is hidden is walked past either: the first of those whom the staff sees, and all of the own cases.
BEARERS = f"""
    with asked as materialized (
        select n.kind, n.token from unnest(%(kinds)s::text[], %(tokens)s::bigint[]) n (kind, token)),
    own as materialized (
        select s.kind, s.token, s.person_id
          from {OWN_CASES} own
         cross join lateral (select t.* from search_tokens t where t.case_id = own.case_id and t.sensitive offset 0) s)
    select n.kind, n.token, t.person_id
      from asked n
     cross join lateral (select s.person_id from search_tokens s
                          where s.organisation_id = %(organisation)s and not s.sensitive
                            and s.kind = n.kind and s.token = n.token
                          order by s.person_id limit %(most)s) t
     union all
    select n.kind, n.token, o.person_id from asked n join own o on o.kind = n.kind and o.token = n.token
"""  # noqa: S608 (a statement of our own)
# The keys are fetched apart: joined to rows whose home is one of two columns, the database would look at every key.
PEOPLE = "select id, coalesce(case_id, id) as home, sealed from people where id = any(%(ids)s)"

Privates = dict[int, dict[str, Any]]
Wanted = dict[int, list[tuple[str, int]]]


async def perhaps_recorded(
    session: AsyncSession, organisation_id: UUID, people: Mapping[int, PersonCreate]
) -> set[int]:
    """Those keys of `people` that are very like somebody visible."""
    privates: Privates = {place: private_of(person) for place, person in people.items()}
    wanted = await run_in_threadpool(_wanted, tokens_of(session), privates)
    bearers = await _bearers(session, organisation_id, wanted)
    ids = sorted({person_id for found in bearers.values() for person_id in found})
    if not ids:
        return set()
    rows = await fetch(session, PEOPLE, {"ids": ids})
    await load_keys(session, (row.home for row in rows))
    return await run_in_threadpool(_likely, ring_of(session), rows, privates, wanted, bearers)


def _wanted(tokens: SearchTokens, privates: Privates) -> Wanted:
    return {
        place: [(token.kind.value, token.value) for token in telling_tokens(tokens, private)]
        for place, private in privates.items()
    }


async def _bearers(session: AsyncSession, organisation_id: UUID, wanted: Wanted) -> dict[tuple[str, int], list[UUID]]:
    asked = sorted({token for tokens in wanted.values() for token in tokens})
    values = {
        "organisation": organisation_id,
        "kinds": [kind for kind, _ in asked],
        "tokens": [token for _, token in asked],
        "most": MOST_OF_A_TOKEN,
    }
    found: dict[tuple[str, int], list[UUID]] = {}
    for row in await fetch(session, BEARERS, values):
        found.setdefault((TokenKind(row.kind).value, row.token), []).append(row.person_id)
    return {token: sorted(bearers)[:MOST_OF_A_TOKEN] for token, bearers in found.items()}


def _likely(
    ring: KeyRing, rows: list[Any], privates: Privates, wanted: Wanted, bearers: Mapping[tuple[str, int], list[UUID]]
) -> set[int]:
    known = [row for row in rows if ring.has(row.home)]  # nobody is like who was erased a moment ago
    others = {row.id: ring.open("people", row.id, row.home, row.sealed) for row in known}
    for row in known:
        ring.forget(row.home)
    return {
        place
        for place, tokens in wanted.items()
        if any(
            sum(WEIGHTS[reason] for reason in reasons_for(privates[place], others[person_id])) >= ENOUGH
            for token in tokens
            for person_id in bearers.get(token, ())
            if person_id in others
        )
    }
