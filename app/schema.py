"""The database's shape: roles, migrations, and the SQL files of policies and functions, applied together."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg import sql
from sqlalchemy.pool import NullPool

from app.database_urls import ROLE_OF, sqlalchemy_url
from app.settings import SetupError

MIGRATIONS = Path(__file__).parent.parent / "migrations"
SQL = MIGRATIONS / "sql"
OLDEST_SERVER = 15
ROLES = (*ROLE_OF.values(), "samaki_definer")
UNFINISHED = "select to_regclass('public.unfinished_restore') is not null"
LOCK = 0x73616D616B69  # "samaki": one process at a time changes roles or schema


class SchemaError(SetupError):
    """The database cannot be reached, is too old, or refuses what it is asked."""


def prepare(admin_url: str) -> None:
    """Create the roles that are missing (migrations/sql/roles.sql). Raises SchemaError.

    A login that may not create roles is fine as long as all of them exist.
    """
    with connected(admin_url) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        missing = _missing_roles(connection)
        if not _may_create_roles(connection):
            if missing:
                raise SchemaError(
                    f"the roles {', '.join(missing)} are missing and this login may not create them; "
                    "let an administrator run migrations/sql/roles.sql"
                )
            return
        _run(connection, SQL / "roles.sql")
        # Up to here the owner owns nothing: it gets room for its tables in this database.
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("grant create on database {} to samaki_owner").format(database))
        connection.execute("grant usage, create on schema public to samaki_owner")


def upgrade(owner_url: str) -> None:
    """Bring tables, policies and functions up to date in one transaction, or change nothing.

    Raises SchemaError; safe beside a second process that does the same.
    """
    with _migrating(owner_url) as connection:
        _apply_migrations(connection, "head")
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)  # noqa: S101 the driver of sqlalchemy_url
        _apply_sql(raw)


def make_tables(owner_url: str, revision: str) -> None:
    """The tables of a revision in a database without any, and nothing of the SQL files: no wall, no trigger yet.

    For a restore, which fills them before `upgrade` makes them what this code needs. Raises SchemaError.
    """
    with _migrating(owner_url) as connection:
        _apply_migrations(connection, revision)


def knows(revision: str) -> bool:
    """Whether this code has the migrations that lead to and from a revision."""
    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def is_unfinished(url: str) -> bool:
    """Whether a restore was cut off or refused here: then nothing may serve. A database that cannot be reached is for
    others to speak of."""
    try:
        with connected(url) as connection:
            return connection.execute(UNFINISHED).fetchone() == (True,)
    except SchemaError:
        return False


def current(url: str) -> tuple[str | None, str | None]:
    """Revision and hash of SQL files that the database has, None where it has none. Raises SchemaError."""
    with connected(url) as connection:
        return _one(connection, "alembic_version", "version_num"), _one(connection, "schema_sql", "sha256")


def expected() -> tuple[str | None, str | None]:
    """Revision and hash of the SQL files that this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head(), _files_hash()


def is_current(url: str) -> bool:
    """Whether the database has exactly the shape that this code needs. Raises SchemaError."""
    return current(url) == expected()


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """A psycopg connection to PostgreSQL 15 or later; commits at the end. Raises SchemaError."""
    try:
        connection = psycopg.connect(url, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise SchemaError(f"the database cannot be reached: {_reason(error)}") from None
    with connection:
        version = connection.info.server_version // 10000
        if version < OLDEST_SERVER:
            raise SchemaError(f"PostgreSQL {OLDEST_SERVER} or later is needed, and this server is {version}")
        try:
            yield connection
        except psycopg.Error as error:
            raise SchemaError(f"the database refuses: {_reason(error)}") from error


@contextmanager
def _migrating(owner_url: str) -> Iterator[sa.Connection]:
    """One transaction, and one process at a time. Raises SchemaError."""
    with connected(owner_url):  # says plainly what is wrong with the address before Alembic does
        pass
    engine = sa.create_engine(sqlalchemy_url(owner_url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("select pg_advisory_xact_lock(%s)", (LOCK,))
            yield connection
    except sa.exc.DBAPIError as error:
        reason = _reason(error.orig) if isinstance(error.orig, psycopg.Error) else type(error).__name__
        raise SchemaError(f"a migration fails: {reason}") from error


def _apply_migrations(connection: sa.Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _apply_sql(connection: psycopg.Connection) -> None:
    connection.execute(
        "create table if not exists schema_sql (sha256 text not null, applied_at timestamptz not null default now())"
    )
    if _one(connection, "schema_sql", "sha256") == _files_hash():
        return
    for path in _files():
        _run(connection, path)
    connection.execute("delete from schema_sql")
    connection.execute("insert into schema_sql (sha256) values (%s)", [_files_hash()])


def _run(connection: psycopg.Connection, path: Path) -> None:
    try:
        # psycopg wants literal SQL for its type; these files are ours, and without parameters the whole file
        # goes to the server as it is, `%` included.
        connection.execute(path.read_bytes())
    except psycopg.Error as error:
        line = error.diag.statement_position or "?"
        raise SchemaError(f"{path.name} fails (at character {line}): {_reason(error)}") from error


def _one(connection: psycopg.Connection, table: str, column: str) -> str | None:
    """The single value of a table that may not exist yet."""
    if connection.execute("select to_regclass(%s) is not null", [table]).fetchone() != (True,):
        return None
    query = sql.SQL("select {} from {}").format(sql.Identifier(column), sql.Identifier(table))
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def _missing_roles(connection: psycopg.Connection) -> list[str]:
    found = connection.execute("select rolname from pg_roles where rolname = any(%s)", [list(ROLES)])
    return sorted(set(ROLES) - {name for (name,) in found})


def _may_create_roles(connection: psycopg.Connection) -> bool:
    row = connection.execute("select rolsuper or rolcreaterole from pg_roles where rolname = current_user").fetchone()
    return bool(row and row[0])


def _files() -> list[Path]:
    return sorted(SQL.glob("[0-9]*.sql"))


@cache
def _files_hash() -> str:
    digest = hashlib.sha256()
    for path in _files():
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _config() -> Config:
    config = Config()
    # ConfigParser reads % as interpolation, and a checkout may live in any directory.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _reason(error: psycopg.Error) -> str:
    if error.diag.message_primary:
        return error.diag.message_primary
    # libpq: "connection failed: connection to server at … failed: Connection refused", then a question.
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "failed: " in line or "error: " in line] or lines
    return telling[0].removeprefix("connection failed: ").removeprefix("- ")
