"""Taking the files of a release in, with the state that shows them."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from app.export_parts import CHUNK
from app.exports.profile import load_profile
from app.freezing.cohort import TOLD, Cohort
from app.freezing.reports import figures_of
from app.freezing.steps import LONGER, Connection, Job, held_by
from app.freezing.telling import told_in
from app.freezing.work import Told

MANIFEST = "manifest.json"
FILE = "insert into export_files (export_id, name, size, sha256, rows) values (%s, %s, %s, %s, %s)"
PART = "insert into export_chunks (export_id, name, number, content) values (%s, %s, %s, %s)"
# Before anything else is locked, until the end: whoever submits a report knows what is stored here, or is known here.
HOLD = "select hold_reports_of_cohort(%s)"
ANEW = """
    update exports set state = 'requested', known = null, code = null, stage = null, run = null, lease_until = null
     where id = %(id)s and run = %(run)s and state = 'freezing' returning id
"""
FROZEN = """
    update exports set state = 'frozen', frozen_at = %(frozen_at)s, report = %(report)s, manifest_sha256 = %(sha256)s,
                       told = %(told)s,
                       code = null, stage = null, run = null, lease_until = null
     where id = %(id)s and run = %(run)s and state = 'freezing' returning id
"""


async def store(connection: Connection, job: Job, cohort: Cohort, knew: Told, place: Path) -> bool:
    """Take the files in, and show them: all in one transaction. Raises LostExport, DiskFull.

    False where reports tell more by now than it `knew`: then it waits to be made anew, with all that is told.
    """
    manifest = (place / MANIFEST).read_bytes()
    document = json.loads(manifest)
    rows = {one["name"]: one.get("rows") for one in document["files"]}
    async with connection.transaction():
        await connection.execute(LONGER)
        await connection.execute(HOLD, [cohort.id])
        reports = [row[0] for row in await (await connection.execute(TOLD, [cohort.id])).fetchall()]
        if any(one not in knew.figures for one in figures_of(reports)):
            await held_by(connection, ANEW, job.held)
            return False
        told = told_in(place, load_profile(job.profile), document)
        values = {
            "told": Jsonb(told),
            "report": Jsonb(_figures(document)),
            "sha256": hashlib.sha256(manifest).hexdigest(),
        }
        await held_by(connection, FROZEN, {**job.held, **values, "frozen_at": cohort.frozen_at})
        for path in _files_in(place):
            digest, size = _digest(path)
            await connection.execute(FILE, [job.id, path.name, size, digest, rows.get(path.name)])
            for number, part in enumerate(_parts(path)):
                await connection.execute(PART, [job.id, path.name, number, part])
    return True


def _figures(manifest: dict[str, Any]) -> dict[str, Any]:
    """What is read before it is approved: the measures, without the files and the signature over all of it."""
    return {name: value for name, value in manifest.items() if name not in {"files", "signature"}}


def _files_in(place: Path) -> list[Path]:
    return sorted(place.iterdir())


def _digest(path: Path) -> tuple[str, int]:
    found = hashlib.sha256()
    for part in _parts(path):
        found.update(part)
    return found.hexdigest(), path.stat().st_size


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            yield part
