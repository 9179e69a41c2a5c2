"""Mutants of the two tables of app/policy.py: every permission given where it is not, taken where it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute

from app import policy
from app.http import API
from app.main import ROUTERS
from app.models.codes.people import Role
from app.permissions import Permission
from app.relations import Relation
from app.security import declared_permission
from tests import cells
from tests.ground import Ground
from tests.matrix import relation_differences


@dataclass(frozen=True, slots=True)
class Flip:
    """One permission of one role, or of one relation to a case, the other way round."""

    holder: Role | Relation
    permission: Permission

    @property
    def name(self) -> str:
        """What is wrong."""
        kind = "role" if isinstance(self.holder, Role) else "relation"
        what = "has lost" if self.permission in _table(self.holder)[self.holder] else "was given"
        return f"{kind} {self.holder.value} {what} {self.permission.value}"

    @contextmanager
    def made(self) -> Iterator[None]:
        """The policy, wrong for the length of the block."""
        table = _table(self.holder)
        right = table[self.holder]
        table[self.holder] = right ^ {self.permission}
        try:
            yield
        finally:
            table[self.holder] = right


def _table(holder: Role | Relation) -> dict[Any, frozenset[Permission]]:
    return policy.ROLE_PERMISSIONS if isinstance(holder, Role) else policy.RELATION_PERMISSIONS


def operations_by_permission() -> dict[Permission, set[str]]:
    """`METHOD /path` of the operations that name each permission in their signature."""
    found: dict[Permission, set[str]] = {}
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and (permission := declared_permission(route.dependant)):
                path = route.path.removeprefix(API)
                found.setdefault(permission, set()).update(f"{method} {path}" for method in route.methods or ())
    return found


def flips() -> Iterator[Flip]:
    """Every role with every permission; every relation with every permission that is asked of a relation."""
    operations = operations_by_permission()
    yield from (Flip(role, permission) for role in Role for permission in operations)
    of_cases = [permission for permission in operations if _is_about_a_case(operations[permission])]
    yield from (Flip(relation, permission) for relation in Relation for permission in of_cases)


def _is_about_a_case(operations: set[str]) -> bool:
    return any("{case_id}" in operation for operation in operations)


async def noticed(ground: Ground, flip: Flip) -> str | None:
    """Which cell of the matrix noticed; the operations that name the permission are asked first."""
    mine = operations_by_permission()[flip.permission]
    with flip.made():
        if wrong := await _wrong_cell(ground, flip, mine):
            return f"matrix: {wrong}"
        if isinstance(flip.holder, Relation) and (hidden := await _behind_roles(ground, mine)):
            return hidden
        if wrong := await _wrong_cell(ground, flip, None):
            return f"matrix: {wrong}"
        wrong_lines = relation_differences()
        return f"table: {wrong_lines[0]}" if wrong_lines else None


async def is_intact(ground: Ground, flip: Flip) -> bool:
    """Whether the stage still answers as it should once the policy is right again."""
    return await _wrong_cell(ground, flip, operations_by_permission()[flip.permission]) is None


async def _wrong_cell(ground: Ground, flip: Flip, operations: set[str] | None) -> str | None:
    tables = (
        (cells.other_cells, cells.case_cells)
        if isinstance(flip.holder, Role)
        else (cells.case_cells, cells.wrong_cells)
    )
    for ask in tables:
        _, wrong = await ask(ground.stage, operations, first=True)
        if wrong:
            return wrong[0]
    return None


async def _behind_roles(ground: Ground, operations: set[str]) -> str | None:
    """The same cells when no role is refused: a role's 403 must not be all that protects."""
    with everything_for_every_role():
        _, wrong = await cells.case_cells(ground.stage, operations, behind_roles=True, first=True)
    return f"matrix behind roles: {wrong[0]}" if wrong else None


@contextmanager
def everything_for_every_role() -> Iterator[None]:
    """No role is refused anything for the length of the block."""
    right = dict(policy.ROLE_PERMISSIONS)
    policy.ROLE_PERMISSIONS.update(dict.fromkeys(right, frozenset(Permission)))
    try:
        yield
    finally:
        policy.ROLE_PERMISSIONS.update(right)
