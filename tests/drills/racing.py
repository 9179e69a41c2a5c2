"""Many at once: with one Idempotency-Key there is one write, with one ETag there is one winner."""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx

from tests.drills.findings import Finding, counted
from tests.drills.place import Place
from tests.drills.writers import PAUSE_SECONDS, said, send

RACERS = 8


async def one_key(place: Place, posts: int = 30) -> Finding:
    """The same intake with the same key through so many connections, each repeated until it is answered."""
    key, said_first = str(uuid4()), Counter[str]()
    with place.everything() as admin:
        (before,) = admin.execute("select count(*) from cases").fetchone() or (0,)

    async def post() -> str:
        async with place.client() as client:
            first = True
            while True:
                answer = await send(client, key, key)
                assert answer is not None
                if first:
                    said_first["201" if answer.status_code == 201 else said(answer)] += 1
                first = False
                if answer.status_code == 201:
                    return str(answer.json()["id"])
                await asyncio.sleep(PAUSE_SECONDS)

    ids = set(await asyncio.gather(*(post() for _ in range(posts))))
    with place.everything() as admin:
        written = admin.execute("select count(*) - %s from cases", [before]).fetchone()
    expected = {"201", "409 idempotency_in_progress"}
    return Finding(
        f"{posts} concurrent POSTs with one Idempotency-Key",
        "one id",
        f"{len(ids)} id, {written and written[0]} case in the table; first answers: {counted(said_first)}",
        len(ids) == 1 and written == (1,) and said_first.keys() <= expected,
    )


async def one_version(place: Place, versions: int = 50) -> Finding:
    """Eight connections edit each version that all have seen; one edit of each is taken, and it is the one kept."""
    taken: Counter[int] = Counter()
    kept = 0
    async with place.client(connections=RACERS) as client:
        made = await send(client, key := str(uuid4()), key)
        assert made is not None
        path = f"/cases/{made.json()['id']}"
        for number in range(versions):
            seen = (await client.get(path)).headers["ETag"]
            answers = await asyncio.gather(*(_edit(client, path, f"{number}.{racer}", seen) for racer in range(RACERS)))
            taken.update(answer.status_code for answer in answers)
            now = (await client.get(path)).json()["summary"]
            kept += [answer.json()["summary"] for answer in answers if answer.status_code == 200] == [now]
    return Finding(
        f"{RACERS} x {versions} concurrent PATCHes with the same ETag",
        f"exactly {versions} succeed",
        f"{taken[200]} succeeded, {taken[412]} answered 412, the winner's text kept {kept} times",
        taken == {200: versions, 412: (RACERS - 1) * versions} and kept == versions,
    )


async def _edit(client: httpx.AsyncClient, path: str, summary: str, seen: str) -> httpx.Response:
    return await client.patch(path, json={"summary": summary}, headers={"If-Match": seen})
