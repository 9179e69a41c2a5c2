"""Operation by role by relation, each cell asserted: access.md against the running application."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cells import case_cells, lists_and_counts, other_cells, public_cells, wrong_cells
from tests.database import Server
from tests.ground import Ground, another
from tests.matrix import CASE_ROWS, OTHER_ROWS, PUBLIC_ROWS, relation_differences
from tests.mutants.policies import everything_for_every_role
from tests.rows import wrong_rows


@pytest.fixture(scope="module")
async def on(server: Server, set_stage: Ground, keys_dir: Path) -> AsyncIterator[Ground]:
    """A stage of the matrix's own: time stands still on it, and nobody else writes there."""
    async with another(server, set_stage, keys_dir) as made:
        yield made


async def test_every_operation_of_the_api_has_its_line_in_the_matrix(on: Ground) -> None:
    offered = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in on.app.openapi()["paths"].items()
        for method in operations
    }
    assert offered == {row.operation for row in (*CASE_ROWS, *OTHER_ROWS, *PUBLIC_ROWS)}


async def test_before_a_case_everybody_may_do_exactly_what_the_matrix_says(on: Ground) -> None:
    asserted, wrong = await case_cells(on.stage)
    print(f"{asserted} cells before a case")  # noqa: T201  # `make test` shows it with -s
    assert not wrong


async def test_without_a_case_every_role_may_do_exactly_what_the_matrix_says(on: Ground) -> None:
    asserted, wrong = await other_cells(on.stage)
    print(f"{asserted} cells without a case")  # noqa: T201
    assert not wrong


async def test_only_what_is_public_answers_without_a_token(on: Ground) -> None:
    _, wrong = await public_cells(on.stage)
    assert not wrong


async def test_a_wrong_request_does_not_tell_that_a_hidden_case_exists(on: Ground) -> None:
    asserted, wrong = await wrong_cells(on.stage)
    print(f"{asserted} cells of wrong requests")  # noqa: T201
    assert not wrong


def test_each_relation_by_itself_may_do_what_the_table_says() -> None:
    assert relation_differences() == []


async def test_the_relation_to_the_case_decides_alone_when_every_role_might_try_everything(
    on: Ground,
) -> None:
    with everything_for_every_role():
        asserted, wrong = await case_cells(on.stage, behind_roles=True)
    print(f"{asserted} cells behind the wall of roles")  # noqa: T201
    assert not wrong


async def test_the_rows_alone_are_a_wall_too(on: Ground) -> None:
    asserted, wrong = wrong_rows(on.stage, on.urls.runtime)
    print(f"{asserted} cells of rows")  # noqa: T201
    assert not wrong


async def test_lists_counts_and_caseload_show_exactly_the_cases_that_can_be_opened(on: Ground) -> None:
    assert not await lists_and_counts(on.stage)
