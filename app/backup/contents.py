"""What is in a database, as whoever sees past the policies counts it: tables, rows, heads of the trail."""

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from app.backup.manifest import BackupError
from app.schema import SchemaError, connected

VAULT = "vault"
OF_THE_SCHEMA = ("alembic_version", "schema_sql", "unfinished_restore")  # what migrations write themselves

TABLES = """
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and c.relname <> all (%s)
       and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     order by 1, 2
"""
HEADS = "select shard, seq, encode(hash, 'hex') from audit_heads order by shard"

Connection = psycopg.Connection[Any]


def tables(connection: Connection) -> list[str]:
    """Every table with data of ours, as `schema.name`."""
    return [f"{schema}.{name}" for schema, name in connection.execute(TABLES, [list(OF_THE_SCHEMA)])]


def identifier(table: str) -> sql.Identifier:
    """`schema.name` for a statement."""
    return sql.Identifier(*table.split("."))


def count(connection: Connection, look: Callable[[str], None] = lambda _: None) -> dict[str, int]:
    """Rows by table in the transaction at hand. Raises psycopg's InsufficientPrivilege where a policy hides any."""
    connection.execute("set local row_security = off")  # a policy that would apply is an error now, not fewer rows
    counts = {}
    for table in tables(connection):
        look(table)
        row = connection.execute(sql.SQL("select count(*) from {}").format(identifier(table))).fetchone()
        counts[table] = int(row[0]) if row else 0
    return counts


def part_of(counts: dict[str, int], *, vault: bool) -> dict[str, int]:
    """The counts of the keys part, or of the other."""
    return {table: rows for table, rows in counts.items() if table.startswith(f"{VAULT}.") == vault}


def heads(connection: Connection) -> list[tuple[int, int, str]]:
    """The heads of the trail: shard, seq, hash."""
    return [(shard, seq, digest) for shard, seq, digest in connection.execute(HEADS)]


def revision(connection: Connection) -> str:
    """The revision of the tables. Raises BackupError."""
    if connection.execute("select to_regclass('public.alembic_version') is not null").fetchone() == (True,):
        row = connection.execute("select version_num from alembic_version").fetchone()
        if row:
            return str(row[0])
    raise BackupError("this database is not Samaki's, or not migrated yet: there is nothing to back up")


def sees_everything(url: str) -> None:
    """Raises BackupError unless the role of `url` sees past row policies: its dump would be empty and look well."""
    query = "select rolname, rolbypassrls or rolsuper from pg_roles where rolname = current_user"
    with connected(url) as connection:
        row = connection.execute(query).fetchone()
    if row is None:
        raise SchemaError("the database does not say who is asking")
    if not row[1]:
        raise BackupError(
            f"{row[0]} does not see past the row policies, so its backup would be empty:"
            " SAMAKI_BACKUP_DATABASE_URL must be of samaki_backup"
        )
