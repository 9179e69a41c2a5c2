"""`samaki check`: every setting, and whether keys, database, policies and disk are as they should be."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import typer
from pydantic import SecretStr
from rich.console import Console

from app.cli.place import DataDir, configured, database
from app.database_urls import DatabaseUrls, redacted
from app.keys import KeyStore, UnusableKey, load_audit_keys, load_export_keys
from app.schema import connected, is_current
from app.settings import URL_SETTINGS, Settings, SetupError

LEAST_FREE_BYTES = 1_000_000_000
# Tables without a case_id that are under the wall all the same (access.md).
PRIVATE_TABLES = ["cases", "people", "households", "person_links", "search_tokens", "idempotency_keys"]
UNFORCED = """
    select c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and (c.relname = any (%s) or exists (
            select from pg_attribute a
            where a.attrelid = c.oid and a.attname = 'case_id' and not a.attisdropped))
      and not (c.relrowsecurity and c.relforcerowsecurity)
    order by 1
"""


def check(data_dir: DataDir = None) -> None:
    """Show every setting and test keys, database, policies and disk; exit code 1 if any fails."""
    chosen = configured(data_dir)
    console = Console()
    for name, field in Settings.model_fields.items():
        setting = f"SAMAKI_{name.upper()}={_shown(name, getattr(chosen, name))}"
        console.print(f"{setting:<50}  # {field.description}", markup=False, highlight=False, soft_wrap=True)
    results = [_tried("keys", lambda: _keys(chosen)), _tried("disk", lambda: _disk(chosen.data_dir))]
    try:
        with database(chosen) as urls:
            results += [
                _tried("database", lambda: _server(urls)),
                _tried("schema", lambda: _schema(urls)),
                _tried("policies", lambda: check_policies(urls)),
            ]
    except SetupError as error:
        results.append(("database", False, str(error)))
    for name, well, said in results:
        line = f"{'ok  ' if well else 'FAIL'} {name}: {said}"
        console.print(line, style=None if well else "red", markup=False, highlight=False, soft_wrap=True)
    if not all(well for _, well, _ in results):
        raise typer.Exit(1)


def _shown(name: str, value: object) -> str:
    if isinstance(value, SecretStr):
        try:
            return redacted(value.get_secret_value()) if name in URL_SETTINGS else "***"
        except SetupError:
            return "cannot be read"
    return "" if value is None else ",".join(value) if isinstance(value, list) else str(value)


def _tried(name: str, test: Callable[[], str]) -> tuple[str, bool, str]:
    try:
        return name, True, test()
    except (SetupError, UnusableKey) as error:
        return name, False, str(error)


def _keys(chosen: Settings) -> str:
    store = KeyStore.load(chosen.keys_dir)  # refuses what others can read
    counts = {
        "tokens": store.token_keys,
        "the trail": load_audit_keys(chosen.keys_dir),
        "exports": load_export_keys(chosen.keys_dir),
    }
    told = ", ".join(f"{len(keys)} for {what}" for what, keys in counts.items())
    return f"readable here and nowhere else, {told}, in {chosen.keys_dir}"


def _disk(data_dir: Path) -> str:
    existing = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < LEAST_FREE_BYTES:
        raise SetupError(f"only {free / 1e6:.0f} MB are free at {existing}; a gigabyte is the least")
    if not os.access(existing, os.W_OK):
        raise SetupError(f"{existing} cannot be written")
    return f"{free / 1e9:.1f} GB free at {existing}"


def _server(urls: DatabaseUrls) -> str:
    with connected(urls.runtime) as connection:
        role = connection.execute("select current_user").fetchone()
        version = connection.info.parameter_status("server_version")
    return f"PostgreSQL {version}, as {role[0] if role else 'nobody'}"


def _schema(urls: DatabaseUrls) -> str:
    if not is_current(urls.runtime):
        raise SetupError("not the shape that this version needs; run: samaki migrate")
    return "current"


def check_policies(urls: DatabaseUrls) -> str:
    """A sentence when row level security is forced wherever it must be. Raises SetupError."""
    with connected(urls.runtime) as connection:
        open_tables = [name for (name,) in connection.execute(UNFORCED, [PRIVATE_TABLES])]
    if open_tables:
        raise SetupError(f"row level security is not forced on {', '.join(open_tables)}; run: samaki migrate")
    return "row level security is forced on every table with a case_id and on people"
