"""The tokens of people in the database: written whenever a person is, and searched nowhere but here.

The row policies of `search_tokens` are those of people, so what is not seen is not found. Nor may it take time: a
search walks what the whole staff of the organisation sees (the register, standard cases), and then the sensitive cases
to which the caller has a way of her own. How many others bear a name, hidden from her, changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch, run
from app.search_tokens import SearchTokens, TokenKind
from app.services.case_rows import OWN_CASES

_ADD = """
    insert into search_tokens (organisation_id, kind, token, person_id, case_id)
    select %(organisation_id)s, n.kind, n.token, %(person_id)s, %(case_id)s
      from unnest(%(kinds)s::text[], %(tokens)s::bigint[]) as n (kind, token)
        on conflict do nothing
"""
_REPLACE = f"""
    with gone as (
        delete from search_tokens t
         where t.person_id = %(person_id)s
           and not exists (select from unnest(%(kinds)s::text[], %(tokens)s::bigint[]) as n (kind, token)
                            where n.kind = t.kind and n.token = t.token))
    {_ADD}
"""


@dataclass(frozen=True, slots=True)
class Token:
    """One token that a person must have."""

    kind: TokenKind
    value: int


def tokens_of(session: AsyncSession) -> SearchTokens:
    """Makes the tokens of this installation."""
    tokens: SearchTokens = session.info["search"]
    return tokens


async def add_tokens(
    session: AsyncSession,
    person_id: UUID,
    case_id: UUID | None,
    organisation_id: UUID,
    private: Mapping[str, Any],
    *,
    new: bool,
) -> None:
    """Write the tokens of a person whose row is written already; those of an earlier name are taken away."""
    tokens = tokens_of(session).of_person(private)
    pairs = [(kind.value, token) for kind, found in tokens.items() for token in sorted(found)]
    values = {
        "person_id": person_id,
        "case_id": case_id,
        "organisation_id": organisation_id,
        "kinds": [kind for kind, _ in pairs],
        "tokens": [token for _, token in pairs],
    }
    await run(session, _ADD if new else _REPLACE, values)


async def people_with(
    session: AsyncSession,
    organisation_id: UUID,
    choices: Sequence[Collection[Token]],
    *,
    wanted: int,
    after: UUID | None = None,
    only: UUID | None = None,
) -> list[UUID]:
    """The ids of at most `wanted` people who have every token of one of the `choices`, in the order of their ids.

    `after` is where an earlier page ended; `only` asks of one person whether they are among them.
    """
    values: dict[str, Any] = {"organisation_id": organisation_id, "wanted": wanted, "after": after, "only": only}
    statement = statement_of(choices, values)
    if statement is None:
        return []
    return [row.person_id for row in await fetch(session, statement, values, prepare=False)]


def statement_of(choices: Sequence[Collection[Token]], values: dict[str, Any]) -> str | None:
    """SQL for the ids, whose tokens are added to `values`; None when there is nothing to look for."""
    narrowed = "".join(
        f" and t.person_id {compared} %({name})s" for name, compared in (("after", ">"), ("only", "=")) if values[name]
    )
    branches = [walk(choice, narrowed, values) for choice in choices if choice for walk in (_everybodys, _own)]
    if not branches:
        return None
    return f"select person_id from ({' union '.join(branches)}) as found order by person_id limit %(wanted)s"


def _everybodys(choice: Collection[Token], narrowed: str, values: dict[str, Any]) -> str:
    """SQL of one choice among those whom the staff sees; its tokens are added to `values`."""
    home = "{0}.organisation_id = %(organisation_id)s and not {0}.sensitive"
    return f"""
    (select t.person_id from search_tokens t where {_all(choice, home, values)} {narrowed}
      order by t.person_id limit %(wanted)s)"""


def _own(choice: Collection[Token], narrowed: str, values: dict[str, Any]) -> str:
    """The same among the sensitive cases to which the caller has a way of her own, each case looked into."""
    home = "{0}.case_id = own.case_id and {0}.sensitive"
    return f"""
    (select t.person_id
       from {OWN_CASES} own
      cross join lateral (
            select t.person_id from search_tokens t where {_all(choice, home, values)} {narrowed} offset 0) t
      order by t.person_id limit %(wanted)s)"""


def _all(choice: Collection[Token], home: str, values: dict[str, Any]) -> str:
    """The conditions for a row `t` of the first token, whose person has all the others."""
    first, *others = choice
    required = "".join(
        f" and exists (select from search_tokens o where o.person_id = t.person_id and {home.format('o')}"
        f" and {_is('o', token, values)})"
        for token in others
    )
    return f"{home.format('t')} and {_is('t', first, values)}{required}"


def _is(alias: str, token: Token, values: dict[str, Any]) -> str:
    name = f"token_{len(values)}"
    values[name] = token.value
    return f"{alias}.kind = '{token.kind.value}' and {alias}.token = %({name})s"
