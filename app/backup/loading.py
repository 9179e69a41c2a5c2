"""The rows of a backup put into tables that the migrations have just made, before there is any wall or trigger.

What a dump says about roles, rights, policies and functions is never executed: those are the migrations' alone.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from psycopg import sql

from app.backup import contents
from app.backup.contents import Connection, identifier
from app.backup.manifest import BackupError, Manifest
from app.backup.programs import Programs, database_name
from app.schema import connected, make_tables

RESTORE = ("--data-only", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
KEYS = """
    select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
     where contype = 'f' and connamespace in (select oid from pg_namespace where nspname in ('public', 'vault'))
     order by 1, 2
"""
COUNTERS = """
    select table_schema || '.' || table_name, column_name from information_schema.columns
     where udt_name = 'xid8' and table_schema in ('public', 'vault')
"""
# Transaction numbers are of the server that gave them. On another one they would name transactions yet to come: a
# row would look just opened by whoever gets its number, or be held back from readers of the stream for years. Their
# order is all that is kept, below the number of this transaction.
TOO_HIGH = "select exists (select from {table} where {column} >= pg_current_xact_id())"
RENUMBER = """
    with ranked as (select ctid as place, dense_rank() over (order by {column}) as rank
                      from {table} where {column} is not null),
         most as (select max(rank) as ranks, least(pg_current_xact_id()::text::numeric - 1, max(rank)) as numbers
                    from ranked)
    update {table} t set {column} = (1 + floor((r.rank - 1) * m.numbers / m.ranks))::text::xid8
      from ranked r, most m where t.ctid = r.place
"""
END_SESSIONS = "update sessions set ended_at = %s, end_reason = 'restored' where ended_at is null"

Look = Callable[[str], None]


def load(owner_url: str, programs: Programs, manifest: Manifest, files: list[Path], now: datetime, look: Look) -> None:
    """Make the tables of the backup's revision and fill them; every foreign key is checked. Raises SetupError."""
    make_tables(owner_url, manifest.revision)
    with connected(owner_url) as connection:
        keys = connection.execute(KEYS).fetchall()
        for table, name, _ in keys:
            _alter(connection, table, sql.SQL("drop constraint {}").format(sql.Identifier(name)))
        # Rows that migrations write are in the backup as well.
        for table in contents.tables(connection):
            connection.execute(sql.SQL("truncate {}").format(identifier(table)))
    for file in files:
        arguments: list[str | Path] = [*RESTORE, f"--dbname={database_name(owner_url)}", file]
        programs.run("pg_restore", owner_url, arguments, _loading(file, look))
    look("checking foreign keys")
    with connected(owner_url) as connection:
        for table, name, definition in keys:
            added = sql.SQL("add constraint {} {}").format(sql.Identifier(name), sql.SQL(definition))
            _alter(connection, table, added)
        for table, column in connection.execute(COUNTERS).fetchall():
            names = {"table": identifier(table), "column": sql.Identifier(column)}
            if connection.execute(sql.SQL(TOO_HIGH).format(**names)).fetchone() == (True,):
                connection.execute(sql.SQL(RENUMBER).format(**names))
        # Who was signed out, or lost a phone, after the backup was made stays out.
        connection.execute(END_SESSIONS, [now])


def check_counts(connection: Connection, expected: dict[str, int]) -> None:
    """Raises BackupError at the first table whose rows are not as many as were counted when the backup was made."""
    found = contents.count(connection)
    for table, rows in expected.items():
        if found.get(table) != rows:
            raise BackupError(f"{table} had {rows} rows and has {found.get(table, 0)} now")


def _alter(connection: Connection, table: str, what: sql.Composable) -> None:
    connection.execute(sql.SQL("alter table {} {}").format(sql.SQL(table), what))


def _loading(file: Path, look: Look) -> Callable[[], None]:
    return lambda: look(f"loading {file.name}")
