"""Asking the cells of the matrix, for the suite and for the mutants."""

from collections.abc import Callable, Collection, Iterable

from tests.calls import make
from tests.cast import answered
from tests.matrix import CASE_ROWS, HIDDEN, OTHER_ROWS, PUBLIC_ROWS, Row, behind_the_role_wall, when_wrong
from tests.pages import whole
from tests.stage import Stage
from tests.standpoints import CASEWORKER, LIAISON, STANDPOINTS, SUPERVISOR, Standpoint

Wrong = list[str]
Cells = tuple[int, Wrong]

# Who stands for the columns of the table without a case.
WITHOUT_A_CASE = {
    "caseworker": "staff",
    "supervisor": "supervisor",
    "other_caseworker": "stranger_standard",
    "other_supervisor": "other_supervisor_standard",
    "liaison": "unassigned_liaison_standard",
    "partner": "partner_standard",
    "auditor": "auditor_standard",
    "admin": "admin_standard",
    "nobody": "nobody",
}
WORK_ON_CASES = {CASEWORKER, SUPERVISOR, LIAISON}
_BY_NAME = {point.name: point for point in STANDPOINTS}
_NOBODY = Standpoint("nobody", CASEWORKER, "nobody", "standard")


async def case_cells(
    stage: Stage,
    operations: Collection[str] | None = None,
    *,
    behind_roles: bool = False,
    first: bool = False,
) -> Cells:
    """Every call before a case. `behind_roles`: no role is refused, only the relation decides."""
    rows = _chosen(CASE_ROWS, operations)
    cells = ((row, point) for row in rows for point in STANDPOINTS)
    if behind_roles:
        openers = ((row, point) for row, point in cells if row.path != "/cases" or point.role in WORK_ON_CASES)
        return await _ask(stage, openers, lambda row, point: behind_the_role_wall(row, point.column), first)
    return await _ask(stage, cells, lambda row, point: row.cells[point.column], first)


async def wrong_cells(stage: Stage, operations: Collection[str] | None = None, *, first: bool = False) -> Cells:
    """The same calls with a parameter that does not exist."""
    rows = {row.operation: row for row in _chosen(CASE_ROWS, operations) if "{" in row.path}.values()
    cells = ((row, point) for row in rows for point in STANDPOINTS)
    return await _ask(stage, cells, lambda row, point: when_wrong(row, point.column), first, no_such_parameter="1")


async def other_cells(stage: Stage, operations: Collection[str] | None = None, *, first: bool = False) -> Cells:
    """Every call without a case by every role."""
    return await _ask_roles(stage, _chosen(OTHER_ROWS, operations), first)


async def public_cells(stage: Stage) -> Cells:
    """Every public call, with a token and without."""
    return await _ask_roles(stage, PUBLIC_ROWS, False)


async def lists_and_counts(stage: Stage) -> Wrong:
    """What is wrong with the lists of cases: they show what can be opened, and no more."""
    wrong: Wrong = []
    readable = {row.key: row for row in CASE_ROWS}["GET /cases/{case_id}"]
    for point in STANDPOINTS:
        if point.role not in WORK_ON_CASES:
            continue
        listed = await _listed(stage, point, "/cases")
        counts = answered(await stage.client(point.name).get("/cases/counts"), 200)
        seen = readable.cells[point.column] == 200
        if (stage.cases[point.case].id in listed) is not seen:
            wrong.append(f"{point.name}: the list of cases")
        if not counts["total"] == sum(counts["by_status"].values()) == len(listed):
            wrong.append(f"{point.name}: the counts")
        if point.role is SUPERVISOR:
            stubs = await _listed(stage, point, "/caseload")
            if (stage.cases[point.case].id in stubs) is (point.column in HIDDEN):
                wrong.append(f"{point.name}: the caseload")
    return wrong


async def _listed(stage: Stage, point: Standpoint, path: str) -> set[str]:
    return {item["id"] for item in await whole(stage.client(point.name), path)}


async def _ask_roles(stage: Stage, rows: Iterable[Row], first: bool) -> Cells:
    columns = {column: _BY_NAME.get(name, _NOBODY) for column, name in WITHOUT_A_CASE.items()}
    cells = ((row, columns[column]) for row in rows for column in row.cells)
    names = {point.name: column for column, point in columns.items()}
    return await _ask(stage, cells, lambda row, point: row.cells[names[point.name]], first)


async def _ask(
    stage: Stage,
    cells: Iterable[tuple[Row, Standpoint]],
    expected: Callable[[Row, Standpoint], int],
    first: bool,
    **params: str,
) -> Cells:
    """How many cells were asked, and the wrong ones; `first`: one wrong cell is enough."""
    asked, wrong = 0, []
    for row, point in cells:
        response = await make(stage, row, point, **params)
        asked += 1
        if response.status_code != expected(row, point):
            wrong.append(f"{row.key} as {point.name}: {response.status_code}, not {expected(row, point)}")
            if first:
                break
    return asked, wrong


def _chosen(rows: Iterable[Row], operations: Collection[str] | None) -> list[Row]:
    return [row for row in rows if operations is None or row.operation in operations]
