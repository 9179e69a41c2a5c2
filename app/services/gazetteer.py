"""Importing the gazetteer: all rows of a file or none, safe to repeat, and no code goes that is in use.

Villages never go: where people live is sealed, so nobody can tell which villages are in use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from app.database_urls import DatabaseUrls
from app.schema import SchemaError, connected
from app.services.gazetteer_file import AreaRow, BadRow, read_gazetteer

# Where codes of areas are kept, beside the parents of areas. A test compares this with the tables.
USES = (
    "select commune_code from cases",
    "select unnest(communes) from users",
    "select jsonb_array_elements_text(programme_communes) from organisations",
    *(
        f"select {column} from {table}"  # noqa: S608 (constants only)
        for table, columns in {
            "activities": ("commune_code", "village_code"),
            "businesses": ("commune_code",),
            "case_flow": ("commune_code",),
            "commitments": ("commune_code",),
            "distributions": ("commune_code",),
            "feedback": ("commune_code", "village_code"),
            "home_visits": ("commune_code",),
        }.items()
        for column in columns
    ),
    "select code from areas where level = 'village'",
)

# Under the row policies even the tables' owner sees no case: everything would look unused.
SEES_EVERY_ROW = "select rolbypassrls or rolsuper from pg_roles where rolname = current_user"
INCOMING = """
    create temp table incoming (code text primary key, level text, name_km text, name_en text, parent text)
    on commit drop
"""
COPY = "copy incoming (code, level, name_km, name_en, parent) from stdin"
LOCK_IMPORTS = "lock table areas in share row exclusive mode"
INSERT = """
    insert into areas (code, level, name_km, name_en, parent)
    select code, level, name_km, name_en, parent from incoming i
     where not exists (select from areas a where a.code = i.code)
"""
UPDATE = """
    update areas a set level = i.level, name_km = i.name_km, name_en = i.name_en, parent = i.parent
      from incoming i
     where i.code = a.code
       and (a.level, a.name_km, a.name_en, a.parent)
           is distinct from (i.level, i.name_km, i.name_en, i.parent)
"""
MISSING = "select a.code from areas a where not exists (select from incoming i where i.code = a.code)"
# Waits for every request that has looked up an area and not yet written it into a case.
LOCK_READERS = "lock table areas in access exclusive mode"
# A village in use keeps its commune, district and province.
KEPT = f"""
    select distinct left(used.code, digits) as code
      from ({" union all ".join(USES)}) used (code), unnest(array[2, 4, 6, 8]) digits
     where left(used.code, digits) = any (%s)
     order by 1
"""  # noqa: S608 (constants only)
REMOVE = "delete from areas where code = any (%s)"


@dataclass(frozen=True)
class ImportReport:
    """What an import did, in rows. With `bad` rows it did nothing, and `problems` lists the first of them."""

    rows: int
    bad: int = 0
    problems: tuple[BadRow, ...] = ()
    inserted: int = 0
    updated: int = 0
    removed: int = 0
    kept_in_use: tuple[str, ...] = ()


def import_file(urls: DatabaseUrls, path: Path, progress: Callable[[int], None] = lambda rows: None) -> ImportReport:
    """Make `areas` what the file says, in one transaction, or report every bad row and change nothing.

    Works as the loader, who sees every row. `progress` is told the number of rows read. Raises SchemaError
    when the database refuses, OSError when the file cannot be read.
    """
    reading = read_gazetteer(path, progress)
    if reading.bad_lines:
        return ImportReport(reading.count, bad=len(reading.bad_lines), problems=tuple(reading.problems))
    with connected(urls.loader) as connection:
        return _write(connection, reading.rows)


def _write(connection: psycopg.Connection, rows: list[AreaRow]) -> ImportReport:
    if connection.execute(SEES_EVERY_ROW).fetchone() != (True,):
        raise SchemaError("areas are imported by the loader's role, which must bypass the row policies")
    connection.execute("set local lock_timeout = '30s'")
    connection.execute(INCOMING)
    with connection.cursor().copy(COPY) as copy:
        for row in rows:
            copy.write_row(row)
    connection.execute("analyze incoming")
    connection.execute(LOCK_IMPORTS)
    inserted = connection.execute(INSERT).rowcount
    updated = connection.execute(UPDATE).rowcount
    removed, kept = _remove_missing(connection)
    return ImportReport(rows=len(rows), inserted=inserted, updated=updated, removed=removed, kept_in_use=tuple(kept))


def _remove_missing(connection: psycopg.Connection) -> tuple[int, list[str]]:
    missing = [code for (code,) in connection.execute(MISSING)]
    if not missing:
        return 0, []
    connection.execute(LOCK_READERS)
    kept = [code for (code,) in connection.execute(KEPT, [missing])]
    unused = sorted(set(missing) - set(kept))
    return connection.execute(REMOVE, [unused]).rowcount, kept
