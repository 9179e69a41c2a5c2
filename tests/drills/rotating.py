"""Every data key is wrapped anew while people open and read cases: nobody may notice."""

import asyncio
import secrets
import time
from uuid import uuid4

import psycopg

from app.sealing.key_encryption import key_encryption
from tests.drills.checks import kept
from tests.drills.findings import Finding, counted
from tests.drills.place import Place
from tests.drills.restarting import reading
from tests.drills.writers import until_acknowledged, writing

WRITERS = 4
SETTLED = 20  # cases acknowledged before the rotation, and again after it
LEFT = "select count(*) filter (where kek_id <> %s), count(*) from vault.data_keys"


async def keys_rotated(place: Place, keys: int = 100_000) -> Finding:
    """`samaki keys rotate` as a process of its own over so many keys."""
    await asyncio.to_thread(_put_keys, place, keys)
    async with writing(place, WRITERS) as ledger, reading(place) as readings:
        await until_acknowledged(ledger, SETTLED)
        began, before = time.monotonic(), len(ledger.acknowledged)
        await asyncio.to_thread(place.command, "keys", "rotate")
        seconds, meanwhile = time.monotonic() - began, len(ledger.acknowledged) - before
        read = sum(asked > began for asked, _ in readings.good)
        await until_acknowledged(ledger, SETTLED)
    # What the API made with the key it knew is taken by the next rotation, which finds the newest key used already.
    await asyncio.to_thread(place.command, "keys", "rotate")
    with place.everything() as admin:
        older, total = admin.execute(LEFT, [key_encryption(place.settings).current]).fetchone() or (-1, -1)
    found = await kept(place, ledger)
    failed = ledger.refused + readings.unexpected
    return Finding(
        f"samaki keys rotate over {keys:,} data keys under {WRITERS} writers and readers",
        "0 failed requests; every key wrapped with the newest",
        f"{seconds:.1f} s; meanwhile {meanwhile:,} cases opened and {read:,} lists read, failed: {counted(failed)};"
        f" of {total:,} keys {older} wrapped with an older one; {found}",
        found.whole and not failed and not readings.refused and total > keys and meanwhile > 0 and read > 0,
    )


def _put_keys(place: Place, number: int) -> None:
    """Keys of homes that nobody asks for, wrapped like all others."""
    kek, organisation = key_encryption(place.settings), place.cast.organisations["ngo"]
    columns = "vault.data_keys (home, organisation_id, kek_id, wrapped)"
    with (
        psycopg.connect(place.urls.loader) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"copy {columns} from stdin".encode()) as copy,
    ):
        for home in (uuid4() for _ in range(number)):
            copy.write_row((home, organisation, kek.current, kek.wrap(secrets.token_bytes(32), home)))
