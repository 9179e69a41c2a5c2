"""Reading a list to its end, which must come: a page that shows something again would never let go."""

from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.cast import answered


async def pages(client: httpx.AsyncClient, path: str, **query: Any) -> AsyncIterator[list[Any]]:
    """The items of each page. Raises AssertionError when an item or a cursor comes a second time."""
    seen: set[str] = set()
    while True:
        page = answered(await client.get(path, params=query), 200)
        shown = [item["id"] for item in page["items"]]
        yield page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return
        assert not seen.intersection(shown), "an item comes twice"
        assert cursor != query.get("cursor"), "the page is its own next one"
        seen.update(shown)
        query["cursor"] = cursor


async def whole(client: httpx.AsyncClient, path: str, **query: Any) -> list[Any]:
    """Every item of every page; `limit` 200 unless given."""
    return [item async for page in pages(client, path, **{"limit": 200, **query}) for item in page]
