"""Databases with one wrong wall each, cloned from the template of the right ones."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import psycopg

from app import schema
from app.database_urls import DatabaseUrls
from app.schema import SQL
from tests.cast import AREAS
from tests.database import Server
from tests.mutants.walls import TRIGGERS, WRONG

WALLS = "100"


class MisplacedError(Exception):
    """A mutant whose text is not where its list says: the list is wrong, not the tests."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong wall: statements that make it wrong, run as the owner of the schema; `before` them come those that
    many mutants share."""

    name: str
    statements: str
    before: str = ""


def sql_mutants(admin_url: str) -> Iterator[Mutant]:
    """Every mutant of the database: texts of the files, triggers, and each policy dropped or opened."""
    for wrong in WRONG:
        text = (SQL / f"{wrong.file}.sql").read_text()
        if text.count(wrong.old) != 1:
            raise MisplacedError(f"{wrong.file}: {wrong.name}")
        before, after = _around(wrong.file)
        wronged = "\n".join([text.replace(wrong.old, wrong.new), *after])
        yield Mutant(f"{wrong.file}: {wrong.name}", wronged, "\n".join(before))
    for trigger, table in TRIGGERS.items():
        yield Mutant(f"trigger {trigger} dropped", f"drop trigger {trigger} on {table}")
    with psycopg.connect(admin_url) as connection:
        found = connection.execute(
            "select schemaname || '.' || tablename, policyname, qual is not null, with_check is not null"
            " from pg_policies where schemaname in ('public', 'vault') order by 1, 2"
        ).fetchall()
    for table, policy, reads, writes in found:
        yield Mutant(f"policy {policy} on {table} dropped", f"drop policy {policy} on {table}")
        if policy in {"definer", "count", "sweep", "rotate", "copy", "freezing"}:
            continue  # they are open, and only the role that they name is held by them
        opened = " ".join(["using (true)"] * reads + ["with check (true)"] * writes)
        yield Mutant(f"policy {policy} on {table} opened", f"alter policy {policy} on {table} {opened}")


@cache
def _around(file: str) -> tuple[list[str], list[str]]:
    """What a migration would run before and after it: 100 and 110 take away every policy and right, which the files
    after them give."""
    if file < WALLS:
        return [], []
    texts = {path.stem: path.read_text() for path in sorted(SQL.glob("[0-9]*.sql")) if path.stem >= WALLS}
    return [text for stem, text in texts.items() if stem < file], [text for stem, text in texts.items() if stem > file]


def misplaced(server: Server, template: str, mutants: Iterable[Mutant]) -> list[str]:
    """Mutants that the database does not take at all. What several share runs once."""
    sharing: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        sharing.setdefault(mutant.before, []).append(mutant)
    with server.clone(template) as urls, psycopg.connect(urls.owner) as connection:
        return [said for before, some in sharing.items() for said in _refused(connection, before, some)]


def _refused(connection: psycopg.Connection, before: str, mutants: Iterable[Mutant]) -> Iterator[str]:
    with connection.transaction(force_rollback=True):
        connection.execute(before.encode())
        for mutant in mutants:
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(mutant.statements.encode())
            except psycopg.Error as error:
                yield f"{mutant.name}: {error.diag.message_primary}"


@contextmanager
def database_of(server: Server, template: str, mutant: Mutant) -> Iterator[DatabaseUrls]:
    """A clone of the template with this mutant in it."""
    with server.clone(template) as urls:
        with psycopg.connect(urls.owner) as connection:
            connection.execute(f"{mutant.before}\n{mutant.statements}".encode())
        yield urls


def make_template(server: Server, name: str) -> None:
    """The migrated schema, with the areas of the cast and nothing wrong."""
    server.create(name)
    urls = server.urls(name)
    schema.prepare(urls.admin)
    schema.upgrade(urls.owner)
    with psycopg.connect(urls.owner) as connection:
        for code, level, parent in AREAS:
            row = (code, level.value, "ភូមិ", parent)
            connection.execute("insert into areas (code, level, name_km, parent) values (%s, %s, %s, %s)", row)
