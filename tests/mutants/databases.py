"""Databases with one wrong wall each, cloned from the template of the right ones."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
    """One wrong wall: statements that make it wrong, run as the owner of the schema."""

    name: str
    statements: str


def sql_mutants(admin_url: str) -> Iterator[Mutant]:
    """Every mutant of the database: texts of the files, triggers, and each policy dropped or opened."""
    for wrong in WRONG:
        text = (SQL / f"{wrong.file}.sql").read_text()
        if text.count(wrong.old) != 1:
            raise MisplacedError(f"{wrong.file}: {wrong.name}")
        yield Mutant(f"{wrong.file}: {wrong.name}", _applied(wrong.file, text.replace(wrong.old, wrong.new)))
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


def _applied(file: str, text: str) -> str:
    """What a migration would run: 100 and 110 take away every policy and right, which the files after them give."""
    if file < WALLS:
        return text
    paths = sorted(path for path in SQL.glob("[0-9]*.sql") if path.stem >= WALLS)
    return "\n".join(text if path.stem == file else path.read_text() for path in paths)


def misplaced(server: Server, template: str, mutants: Iterable[Mutant]) -> list[str]:
    """Mutants that the database does not take at all."""
    wrong = []
    with server.clone(template) as urls:
        for mutant in mutants:
            with psycopg.connect(urls.owner) as connection:
                try:
                    connection.execute(mutant.statements.encode())
                except psycopg.Error as error:
                    wrong.append(f"{mutant.name}: {error.diag.message_primary}")
                connection.rollback()
    return wrong


@contextmanager
def database_of(server: Server, template: str, mutant: Mutant) -> Iterator[DatabaseUrls]:
    """A clone of the template with this mutant in it."""
    with server.clone(template) as urls:
        with psycopg.connect(urls.owner) as connection:
            connection.execute(mutant.statements.encode())
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
