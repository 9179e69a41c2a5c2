"""A few of the most dangerous wrong walls; `make mutants` makes every one. A test must notice each of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.models.codes.people import Role
from app.permissions import Permission
from app.relations import Relation
from tests.database import Server
from tests.ground import Ground, another
from tests.mutants import scenarios
from tests.mutants.databases import Mutant, misplaced, sql_mutants
from tests.mutants.policies import Flip, noticed
from tests.mutants.probes import failure_of, sentences_of
from tests.mutants.run import run_database

DANGEROUS = [
    "050_exclusions: nobody is excluded",
    "030_case_access_rows: staff read sensitive cases",
    "040_refresh_case_access: a withdrawal ends no assignment",
    "100_policies: may: excluded",
    "policy see on public.people opened",
]
FLIPS = [
    Flip(Role.PARTNER, Permission.CASE_READ),
    Flip(Relation.LIAISON, Permission.CONSENT_READ),
    Flip(Relation.BREAK_GLASS, Permission.CASE_EDIT),
    Flip(Relation.STUB, Permission.CASE_READ),
]
SENTENCES = [pytest.param(call, chosen, id=name) for name, call, chosen in sentences_of(scenarios)]


@pytest.fixture(scope="module")
async def on(server: Server, set_stage: Ground, keys_dir: Path) -> AsyncIterator[Ground]:
    async with another(server, set_stage, keys_dir) as made:
        yield made


@pytest.fixture(scope="module")
def mutants(server: Server, template: str) -> dict[str, Mutant]:
    return {mutant.name: mutant for mutant in sql_mutants(server.urls(template).admin)}


@pytest.mark.parametrize(("call", "chosen"), SENTENCES)
async def test_on_the_right_walls_the_sentences_of_the_mutants_hold(on: Ground, call: Any, chosen: Any) -> None:
    assert await failure_of(on, call, chosen) is None


def test_every_mutant_still_has_its_place(server: Server, template: str, mutants: dict[str, Mutant]) -> None:
    assert len(mutants) > 250
    assert misplaced(server, template, mutants.values()) == []


@pytest.mark.parametrize("name", DANGEROUS)
async def test_a_wrong_wall_is_noticed(
    server: Server, template: str, keys_dir: Path, mutants: dict[str, Mutant], name: str
) -> None:
    outcome = await run_database(server, template, keys_dir, mutants[name], with_oracle=False)
    assert outcome.noticed_by is not None


@pytest.mark.parametrize("flip", FLIPS, ids=lambda flip: flip.name)
async def test_a_wrong_permission_is_noticed(server: Server, set_stage: Ground, keys_dir: Path, flip: Flip) -> None:
    async with another(server, set_stage, keys_dir) as made:
        assert await noticed(made, flip) is not None
