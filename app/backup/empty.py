"""A database made ready for a restore: nobody at work in it, nothing of value in it, and marked until all is well."""

from psycopg import sql

from app.backup.contents import Connection
from app.backup.manifest import BackupError
from app.database_urls import ROLE_OF, DatabaseUrls
from app.schema import connected, is_unfinished

MARK = "create table if not exists unfinished_restore (since timestamptz not null default now())"
UNMARK = "drop table unfinished_restore"
PRECIOUS = ("cases", "people", "users")
AT_WORK = """
    select count(*) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and usename = any (%s)
"""
# Only what our two owning roles have made: a stranger's objects in the same database stay.
OBJECTS = """
    select 'function', p.oid::regprocedure::text, pg_get_userbyid(p.proowner)
      from pg_proc p where p.pronamespace = 'public'::regnamespace
       and pg_get_userbyid(p.proowner) in ('samaki_owner', 'samaki_definer')
    union all
    select case c.relkind when 'v' then 'view' else 'table' end, c.oid::regclass::text, pg_get_userbyid(c.relowner)
      from pg_class c where c.relkind in ('r', 'p', 'v') and c.relnamespace = 'public'::regnamespace
       and pg_get_userbyid(c.relowner) in ('samaki_owner', 'samaki_definer') and c.relname <> 'unfinished_restore'
     order by 1, 2
"""


def refuse_unless_empty(urls: DatabaseUrls) -> None:
    """Raises BackupError when somebody works in this database, or it holds what a restore would overwrite."""
    with connected(urls.admin) as connection:
        row = connection.execute(AT_WORK, [list(ROLE_OF.values())]).fetchone()
        if row and row[0]:
            raise BackupError(f"{row[0]} connections of Samaki are open in this database: stop the API and the worker")
        if is_unfinished(urls.admin):
            return
        for table in PRECIOUS:
            if _has_rows(connection, table):
                raise BackupError(
                    f"this database has {table}: a restore goes into an empty one, and this one stays as it is"
                )


def mark_and_clear(owner_url: str) -> None:
    """From here on nothing serves this database; then everything of Samaki's in it goes."""
    with connected(owner_url) as connection:
        connection.execute(MARK)
    with connected(owner_url) as connection:
        connection.execute("drop schema if exists vault cascade")
        for kind, name, owner in connection.execute(OBJECTS).fetchall():
            # What the definer owns only the definer may drop; the owner becomes it, as the SQL files do to make them.
            connection.execute(sql.SQL("set local role {}").format(sql.Identifier(owner)))
            # Both names are as the catalogue quotes them; what went with another one before is no error.
            connection.execute(sql.SQL("drop {} if exists {} cascade").format(sql.SQL(kind), sql.SQL(name)))


def unmark(owner_url: str) -> None:
    """The restore is whole and checked: the database may serve."""
    with connected(owner_url) as connection:
        connection.execute(UNMARK)


def _has_rows(connection: Connection, table: str) -> bool:
    if connection.execute("select to_regclass(%s) is not null", [f"public.{table}"]).fetchone() != (True,):
        return False
    query = sql.SQL("select exists (select from {})").format(sql.Identifier("public", table))
    return connection.execute(query).fetchone() == (True,)
