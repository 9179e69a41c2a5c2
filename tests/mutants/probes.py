"""The tests that must notice a wrong wall, one after the other until one does, run in the process itself."""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from itertools import product
from typing import Any

import psycopg
import pytest

from tests import (
    cells,
    test_access,
    test_actions,
    test_assessments,
    test_assistance,
    test_assistance_ledger,
    test_attachments,
    test_audit,
    test_audit_reports,
    test_break_glass,
    test_case_flow,
    test_case_rows,
    test_caseload,
    test_caseload_limits,
    test_clients,
    test_closing,
    test_community_walls,
    test_concurrency,
    test_disclosures,
    test_erasure,
    test_exclusions,
    test_exclusions_across_cases,
    test_export_cohorts,
    test_export_walls,
    test_first_dates,
    test_follow_ups,
    test_handover,
    test_health,
    test_import_walls,
    test_inventory,
    test_links,
    test_minors,
    test_outside_reviews,
    test_reading_alerts,
    test_referral_disclosure,
    test_referral_silence,
    test_referral_steps,
    test_referral_walls,
    test_referrals_in,
    test_reminders,
    test_report_versions,
    test_safety_plan,
    test_screening,
    test_search_walls,
    test_services,
    test_sync,
    test_told_walls,
    test_transfers,
    test_webhook_walls,
    test_whereabouts,
    test_worklist,
)
from tests.ground import Ground
from tests.inventory import differences
from tests.mutants import scenarios
from tests.oracle.driver import compare
from tests.oracle.stage import Stage as OracleStage
from tests.rows import wrong_rows

SENTENCES = (
    test_inventory,
    test_access,
    test_break_glass,
    scenarios,
    test_exclusions,
    test_exclusions_across_cases,
    test_links,
    test_screening,
    test_search_walls,
    test_concurrency,
    test_follow_ups,
    test_actions,
    test_assessments,
    test_safety_plan,
    test_assistance,
    test_assistance_ledger,
    test_case_rows,
    test_case_flow,
    test_report_versions,
    test_export_cohorts,
    test_export_walls,
    test_told_walls,
    test_closing,
    test_minors,
    test_outside_reviews,
    test_disclosures,
    test_worklist,
    test_first_dates,
    test_reminders,
    test_caseload,
    test_import_walls,
    test_services,
    test_community_walls,
    test_transfers,
    test_clients,
    test_referral_walls,
    test_referral_steps,
    test_referral_disclosure,
    test_referral_silence,
    test_referrals_in,
    test_webhook_walls,
    test_handover,
    test_caseload_limits,
    test_audit,
    test_whereabouts,
    test_health,
    test_attachments,
    test_reading_alerts,
    test_sync,
    test_erasure,
    test_audit_reports,  # whose weeks let the most time pass
)
Probe = Callable[[Ground], Awaitable[str | None]]
ORACLE_SEED, ORACLE_OPERATIONS = 20260302, 1_500


async def access_probes(ground: Ground, *, with_oracle: bool = True) -> str | None:
    """What first noticed that something is wrong with this application; None when everything seems right."""
    chosen = [*PROBES, _oracle] if with_oracle else PROBES
    for probe in [*chosen, _inventory]:
        if noticed := await probe(ground):
            return noticed
    return None


async def _rows(ground: Ground) -> str | None:
    _, wrong = wrong_rows(ground.stage, ground.urls.runtime, first=True)
    return f"rows: {wrong[0]}" if wrong else None


async def _lists(ground: Ground) -> str | None:
    wrong = await cells.lists_and_counts(ground.stage)
    return f"lists: {wrong[0]}" if wrong else None


async def _cells(ground: Ground) -> str | None:
    for ask in (cells.other_cells, cells.case_cells, cells.wrong_cells):
        _, wrong = await ask(ground.stage, first=True)
        if wrong:
            return f"matrix: {wrong[0]}"
    return None


async def _sentences(ground: Ground) -> str | None:
    """The tests of rights, called as pytest would call them."""
    for module in SENTENCES:
        for name, call, chosen in sentences_of(module):
            if error := await failure_of(ground, call, chosen):
                return f"sentence: {name}: {error}"
    return None


async def failure_of(ground: Ground, call: Callable[..., Any], chosen: dict[str, Any]) -> str | None:
    """Calls one test; the kind of its failure, None when it holds or cannot be run on this stage."""
    with (
        psycopg.connect(ground.urls.admin, autocommit=True) as superuser,
        psycopg.connect(ground.urls.runtime) as runtime_connection,
    ):
        given = {
            "ground": ground,
            "cast": ground.cast,
            "clock": ground.clock,
            "runtime": ground.runtime,
            "database": ground.urls,
            "superuser": superuser,
            "runtime_connection": runtime_connection,
            **chosen,
        }
        wanted = inspect.signature(call).parameters
        if not set(wanted) <= set(given):
            return None  # it needs a database of its own
        try:
            outcome = call(**{name: given[name] for name in wanted})
            if inspect.isawaitable(outcome):
                await outcome
        except (Exception, pytest.fail.Exception) as error:  # whatever it is, the test has failed
            return type(error).__name__
    return None


def sentences_of(module: Any) -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """The tests of a module: name, function, and the values of its parameters."""
    for name, call in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(call):
            yield from ((name, call, chosen) for chosen in _parametrized(call))


def _parametrized(call: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """The values of every `pytest.mark.parametrize` on a test, in every combination."""
    axes = [_axis(*mark.args) for mark in getattr(call, "pytestmark", ()) if mark.name == "parametrize"]
    for combination in product(*axes):
        yield {key: value for chosen in combination for key, value in chosen.items()}


def _axis(names: str | list[str], values: Any) -> list[dict[str, Any]]:
    keys = names.replace(" ", "").split(",") if isinstance(names, str) else list(names)
    return [dict(zip(keys, [value] if len(keys) == 1 else value, strict=True)) for value in values]


async def _oracle(ground: Ground) -> str | None:
    here = OracleStage(ground.cast.transport, ground.runtime, ground.clock, ground.urls)  # type: ignore[arg-type]
    with here.admin, here.worker:
        _, difference = await compare(here, ORACLE_SEED, ORACLE_OPERATIONS)
    return f"oracle: {difference.operations[-1].kind}" if difference else None


async def _inventory(ground: Ground) -> str | None:
    with psycopg.connect(ground.urls.admin) as connection:
        wrong = differences(connection)
    return f"inventory: {wrong[0]}" if wrong else None


PROBES: list[Probe] = [_rows, _lists, _sentences, _cells]
