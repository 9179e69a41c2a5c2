"""What one source of the worklist is: a `select` under the row policies, for some roles."""

from dataclasses import dataclass

from app.models.codes.people import Role

STAFF = frozenset({Role.CASEWORKER, Role.SUPERVISOR})
SUPERVISORS = frozenset({Role.SUPERVISOR})
LIAISONS = frozenset({Role.CCWC_LIAISON})

# What a source may give beside its kind; by `sealed`, `occurred_at` and `precision` the item is judged; `code`,
# `due_week` and `late` are of a case that is only a stub.
COLUMNS = {
    "due_at": "timestamptz",
    "case_id": "uuid",
    "subject_id": "uuid",
    "sealed": "bytea",
    "occurred_at": "timestamptz",
    "precision": "text",
    "code": "text",
    "due_week": "text",
    "late": "boolean",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of thing to do, for these roles."""

    roles: frozenset[Role]
    sql: str


def source(roles: frozenset[Role], kind: str, rows: str, **columns: str) -> Source:
    """`kind` is SQL, `rows` everything from `from` on; columns that are not given are null."""
    given = ", ".join(f"({columns.get(name, 'null')})::{sort} as {name}" for name, sort in COLUMNS.items())
    return Source(roles, f"select {kind} as kind, {given} {rows}")
