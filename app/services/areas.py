"""Looking up the administrative areas of Cambodia, by code, parent, level or part of a name."""

from typing import Annotated

from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Invalid, NotFound
from app.models.area import AreaCode, AreaRead
from app.models.base import Page
from app.models.codes.people import AreaLevel
from app.paging import ListQuery
from app.text import NameText, search_key

# app.text.search_key in SQL, as far as names of areas need it; a test compares the two for every name.
# The last argument of translate() is shorter, so that the invisible characters after the digits go away.
NAME_KEY = """
    replace(replace(replace(replace(translate(lower(a.name_km || E'\\n' || coalesce(a.name_en, '')),
        E'០១២៣៤៥៦៧៨៩\\u200b\\u200c\\u200d\\u2060\\u00ad', '0123456789'),
        E'\\u17d2\\u178a', E'\\u17d2\\u178f'), E'\\u17a3', E'\\u17a2'), E'\\u17a4', E'\\u17a2\\u17b6'),
        E'\\u17b2', E'\\u17b1')
"""

LIST = """
    select a.code, a.level, a.name_km, a.name_en, a.parent from areas a
     where a.code > :after {filters}
     order by a.code limit :wanted
"""
FILTERS = {
    "parent": "and a.parent = :parent",
    "level": "and a.level = :level",
    "q": f"and position(:q in {NAME_KEY}) > 0",
}
FIND = text("select code, level, name_km, name_en, parent from areas where code = :code")


class AreaQuery(ListQuery):
    """Filters narrow; `q` is the start or part of a name in either script."""

    parent: AreaCode | None = None
    level: AreaLevel | None = None
    q: NameText | None = None
    # The code of the last area of the page before.
    cursor: Annotated[str, Field(pattern=r"^([0-9]{2}){1,4}$")] | None = None


async def list_areas(session: AsyncSession, query: AreaQuery) -> Page[AreaRead]:
    """Areas in the order of their codes; 422 at `/query/parent` when there is no such area."""
    if query.parent is not None and not await is_area(session, query.parent):
        raise Invalid.at("/query/parent", "unknown_area", "There is no such area.")
    asked = query.model_dump(include=set(FILTERS), exclude_none=True)
    if "q" in asked:
        asked["q"] = search_key(asked["q"])
    statement = text(LIST.format(filters=" ".join(FILTERS[name] for name in asked)))
    parameters = {"after": query.cursor or "", "wanted": query.limit + 1, **asked}
    rows = (await session.execute(statement, parameters)).all()
    shown = [AreaRead.model_validate(row) for row in rows[: query.limit]]
    return Page[AreaRead](items=shown, next_cursor=shown[-1].code if len(rows) > query.limit else None)


async def read_area(session: AsyncSession, code: str) -> AreaRead:
    """One area; 404 when there is none with this code."""
    row = (await session.execute(FIND, {"code": code})).one_or_none()
    if row is None:
        raise NotFound
    return AreaRead.model_validate(row)


async def is_area(session: AsyncSession, code: str) -> bool:
    """Is there an area with this code?"""
    return (await session.execute(FIND, {"code": code})).one_or_none() is not None
