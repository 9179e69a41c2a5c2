"""Databases for tests, on the embedded server or on the one that SAMAKI_DATABASE_URL points to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from app.database_urls import ROLE_OF, SUPERUSER, DatabaseUrls, libpq_url
from app.embedded import EmbeddedPostgres
from app.schema import prepare
from app.settings import URL_SETTINGS, Settings


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server on which the tests may make databases."""

    urls: Callable[[str], DatabaseUrls]

    def create(self, name: str, template: str | None = None) -> None:
        """Make a database, as a copy of `template` when given."""
        options = (
            sql.SQL(" template {} strategy file_copy").format(sql.Identifier(template)) if template else sql.SQL("")
        )
        self._run(sql.SQL("create database {}").format(sql.Identifier(name)) + options)

    def drop(self, name: str) -> None:
        """Take a database away, whoever is still connected."""
        self._run(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def forget_about_the_disk(self) -> None:
        """Wait for no disk: this server is thrown away, and a power cut ends the tests with it.

        Only for the tests' own. Whoever speaks of durability (tests/drills, test_embedded, test_cli) starts a server
        of its own with the settings of the application.
        """
        for setting in ("fsync", "full_page_writes"):
            self._run(sql.SQL("alter system set {} = off").format(sql.SQL(setting)))
        self._run(sql.SQL("select pg_reload_conf()").format())

    def wait_for_nobody(self) -> None:
        """Give up on a lock after a minute: a test that blocks the event loop may wait for a request in the same loop,
        and who waits for itself would wait for good."""
        self._run(sql.SQL("alter system set lock_timeout = '1min'").format())
        self._run(sql.SQL("select pg_reload_conf()").format())

    @contextmanager
    def clone(self, template: str) -> Iterator[DatabaseUrls]:
        """A copy of `template` for the length of the block."""
        name = f"samaki_test_{uuid4().hex[:12]}"
        self.create(name, template)
        try:
            yield self.urls(name)
        finally:
            self.drop(name)

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.urls("postgres").admin, autocommit=True) as connection:
            connection.execute(statement)


def embedded_server(postgres: EmbeddedPostgres) -> Server:
    """The embedded server, every role logging in through its socket."""

    def urls(name: str) -> DatabaseUrls:
        roles = {setting.removesuffix("_database_url"): ROLE_OF[setting] for setting in URL_SETTINGS}
        roles["runtime"] = roles.pop("database_url")
        return DatabaseUrls(
            **{who: postgres.url(role, name) for who, role in roles.items()}, admin=postgres.url(SUPERUSER, name)
        )

    return Server(urls)


def given_server(settings: Settings) -> Server:
    """The server of SAMAKI_DATABASE_URL, whose login must be able to make databases and roles.

    Each role logs in as itself, as it does in earnest: without a password where the given login needs none, else
    with the same one.
    """
    assert settings.database_url is not None
    given = urlsplit(libpq_url(settings.database_url.get_secret_value()))
    prepare(given.geturl())
    if given.password:
        with psycopg.connect(given.geturl(), autocommit=True) as connection:
            for role in ROLE_OF.values():
                statement = sql.SQL("alter role {} password {}")
                connection.execute(statement.format(sql.Identifier(role), sql.Literal(given.password)))

    def url(user: str, name: str) -> str:
        password = f":{given.password}" if given.password else ""
        place = given.netloc.rpartition("@")[2]
        return urlunsplit(given._replace(netloc=f"{user}{password}@{place}", path=f"/{name}"))

    def urls(name: str) -> DatabaseUrls:
        roles = {setting.removesuffix("_database_url"): ROLE_OF[setting] for setting in URL_SETTINGS}
        roles["runtime"] = roles.pop("database_url")
        return DatabaseUrls(
            **{who: url(role, name) for who, role in roles.items()}, admin=urlunsplit(given._replace(path=f"/{name}"))
        )

    return Server(urls)
