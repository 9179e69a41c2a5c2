"""The rules of the house that no linter knows: who imports, commits, refuses, reads the environment."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.pool import NullPool

from app.database_urls import DatabaseUrls, sqlalchemy_url
from app.models.base import TransactionId
from app.openapi import Operation, operations
from tests.cast import Cast
from tests.test_openapi import PUBLIC

PROJECT = Path(__file__).parent.parent
FILES = sorted((PROJECT / "app").rglob("*.py"))
SOURCES = {path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}

MOST_LINES = 250
# Long because each is one table: invented names, the schemas of a case for every audience.
TABLES = {"app/demo/names.py", "app/models/case.py"}

# What the lower layers may import of app, beside themselves.
LAYERS: dict[str, set[str]] = {
    "ids": {"case_code"},
    "forms": {"calendar", "errors", "models"},
    "models": {"ids", "text"},
    "errors": {"logs", "metrics"},
    "disclosure": set(),
    "exports": {"disclosure", "forms", "key_pairs", "labels", "models"},
    "permissions": set(),
    "policy": {"errors", "models", "permissions", "relations"},
    "relations": {"models"},
    "search_tokens": {"keys", "text"},
    "sealing": {"db", "errors", "keys", "logs", "schema", "settings"},
    "security": {
        "db",
        "erasures",
        "errors",
        "file_bounds",
        "keys",
        "models",
        "organisation_totals",
        "permissions",
        "policy",
        "sealing",
        "settings",
        "tokens",
        "webhooks",
    },
}
# Who stands above services and routers, and so is unknown to them.
ABOVE_SERVICES = {"routers", "http", "openapi", "edge", "main", "health", "api_page", "cli", "demo", "worker"}
ABOVE_ROUTERS = {"openapi", "edge", "main", "health", "api_page", "cli", "demo", "worker", "db"}


def holding(pattern: str, *, allowed: set[str]) -> list[str]:
    """Files of app/ in which the pattern stands although they are not allowed it."""
    return [name for name, source in SOURCES.items() if re.search(pattern, source) and name not in allowed]


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module of app that a module needs to run: not what it imports for its types only."""
    skipped = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "app":
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside in MODULES else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "app")


def module_of(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module_of(name) for name in SOURCES}
IMPORTS = {module_of(name): set(imported(tree)) for name, tree in TREES.items()}


def layer(module: str) -> str:
    """`app.models.case` is in `models`."""
    return module.split(".")[1] if "." in module else ""


def test_the_rules_look_at_the_whole_of_app() -> None:
    assert len(SOURCES) > 60
    assert {"models", "services", "routers", "policy", "errors"} <= {layer(module) for module in MODULES}
    assert "app.services.addressed" in IMPORTS["app.http"]


def test_only_the_transaction_and_the_worker_commit() -> None:
    committing = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    }
    assert committing <= {"app/db.py", "app/worker.py"}
    assert "app/db.py" in committing


def test_refusals_are_problems_of_our_own() -> None:
    assert holding(r"\bHTTPException\b", allowed=set()) == []


def test_only_settings_read_the_environment() -> None:
    pattern = r"\bos\.environb?\b|\bgetenv\b|from os import .*\benviron"
    assert holding(pattern, allowed={"app/settings.py"}) == []


def test_only_one_file_knows_the_token_library() -> None:
    assert holding(r"(?m)^\s*(import|from) jose\b", allowed={"app/tokens.py"}) == []


def test_cases_are_selected_in_one_file_only() -> None:
    visible = {"app/services/visible.py"}
    assert holding(r"\bselect\(\s*(case\.)?Case\b(?!\w)", allowed=visible) == []
    assert holding(r"\.get\(\s*Case\b|\bquery\(\s*Case\b", allowed=visible) == []


def test_services_ask_the_request_for_the_time() -> None:
    clocks = r"\b(datetime\.(now|utcnow|today)|date\.today|time\.time)\("
    assert [name for name in holding(clocks, allowed=set()) if name.startswith(("app/services/", "app/routers/"))] == []


def test_files_with_tables_keep_their_annotations_as_they_are() -> None:
    assert holding(r"from __future__ import annotations", allowed=set()) == []


def test_imports_never_lead_in_a_circle() -> None:
    try:
        list(TopologicalSorter(IMPORTS).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_imports_point_down() -> None:
    for module, needed in IMPORTS.items():
        own = layer(module)
        layers = {layer(one) for one in needed} - {own, ""}
        if own in LAYERS:
            assert layers <= LAYERS[own], module
        if own == "services":
            assert not layers & ABOVE_SERVICES, module
        if own == "routers":
            assert not layers & ABOVE_ROUTERS, module
        if own != "cli":
            assert "main" not in layers or own == "demo", module
        assert "cli" not in layers or own == "__main__", module


def test_a_process_that_serves_cases_does_not_load_what_only_statistics_need() -> None:
    loads = "import sys, app.main; print(sorted({'scipy', 'polars'} & sys.modules.keys()))"
    said = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_nobody_finds_a_room_called_utils() -> None:
    names = {part for name in SOURCES for part in name.removesuffix(".py").split("/")}
    assert not names & {"utils", "util", "core", "common", "constants", "helpers", "misc", "base_service"}


def test_files_are_short_enough_to_read() -> None:
    long = {name for name, source in SOURCES.items() if len(source.splitlines()) > MOST_LINES}
    assert long <= TABLES
    assert SOURCES.keys() >= TABLES


def test_every_module_begins_with_a_sentence() -> None:
    assert [name for name, tree in TREES.items() if not (ast.get_docstring(tree) or "").strip()] == []


def test_no_file_of_the_project_holds_the_address_of_a_package_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    files = [PROJECT / name for name in listed.stdout.decode().split("\0") if name]
    assert len(files) > 100
    address = re.compile(rb"://[^\s\"'<>]*(?:pypi|pythonhosted|/simple\b|registry\.|npmjs|jsdelivr|unpkg)")
    options = re.compile(rb"(?m)^\s*(?:-i|--(?:extra-)?index-url|--find-links)\b")
    for path in files:
        if path.is_file():
            content = path.read_bytes()
            assert not address.search(content), path.name
            assert not options.search(content), path.name


async def test_every_operation_answers_a_stranger_with_401_before_it_looks_at_anything(
    app: FastAPI, cast: Cast
) -> None:
    client = cast.client("nobody")
    asked = [one for one in operations(app, app.openapi()) if f"{one.method} {one.path}" not in PUBLIC]
    assert len(asked) >= 50
    for one in asked:
        for body in (b"", b"{", b'{"unknown": 1}'):
            for token in ({}, {"Authorization": "Bearer x.y.z"}):
                answer = await client.request(
                    one.method,
                    f"http://samaki.test{address_of(one)}?unknown=1",
                    content=body,
                    headers={"Content-Type": "application/json", **token},
                )
                assert answer.status_code == 401, (one.method, one.path)
                assert code_of(answer) == "unauthenticated"
                assert answer.headers["WWW-Authenticate"] == "Bearer"


def code_of(answer: httpx.Response) -> str:
    """The code of a refusal, in either face's words."""
    body = answer.json()
    coding = body["issue"][0]["details"]["coding"][0] if "issue" in body else body
    return str(coding["code"])


def address_of(operation: Operation) -> str:
    return re.sub(r"\{[a-z_]+\}", "not-an-id", operation.path)


def test_the_models_are_what_the_migrations_make(database: DatabaseUrls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ischema_names, "xid8", TransactionId)  # SQLAlchemy does not know the type
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "migrations").replace("%", "%%"))
    engine = sa.create_engine(sqlalchemy_url(database.owner), poolclass=NullPool)
    with engine.connect() as connection:
        attributes: dict[str, Any] = config.attributes
        attributes["connection"] = connection
        command.check(config)  # raises when autogenerate would write anything
