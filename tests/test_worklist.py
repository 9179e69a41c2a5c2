"""Today's work in one call: most urgent first, and never more than the reader may see."""

from datetime import timedelta
from typing import Any

import psycopg

from tests.acts import SENSITIVE, assign
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered


async def worklist(cast: Cast, who: str) -> Any:
    return answered(await cast.client(who).get("/worklist"), 200)


async def test_smoke(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    clock.advance(hours=20)
    for who in ("caseworker", "supervisor", "liaison"):
        found = await worklist(cast, who)
        print(who, found)
    print(answered(await cast.client("supervisor").get("/caseload"), 200)["leads"])
    assert False
