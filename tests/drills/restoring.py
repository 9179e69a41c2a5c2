"""Backup under writers, then restore on a machine that has the backup and the key files and nothing else."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import httpx
import psycopg

from app.backup import contents
from app.cli import address
from app.database_urls import DatabaseUrls
from app.embedded import EmbeddedPostgres
from app.settings import Settings, child_environment
from tests.cast import PASSWORD
from tests.drills.checks import HALF_WRITTEN
from tests.drills.findings import Finding
from tests.drills.place import PATIENCE_SECONDS, PROJECT, Place, Process, directory
from tests.drills.writers import until_acknowledged, writing

SETTLED = 40
FAULT, BAR = "backup, then restore on an empty machine", "same counts, a field decrypts, chain verifies"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("SAMAKI_")}


async def restored(place: Place, writers: int = 8) -> Finding:
    """The real commands, one after the other, as docs/backup.md tells them."""
    with directory() as shelf, directory() as machine, (machine / "said").open("wb") as output:
        async with writing(place, writers) as ledger:
            await until_acknowledged(ledger, SETTLED)
            before = dict(ledger.acknowledged)
            began = time.monotonic()
            await _samaki("backup", shelf / "data", "--keys-to", shelf / "keys", "--data-dir", place.postgres.data_dir)
            saved = time.monotonic() - began
            during = len(ledger.acknowledged) - len(before)
        shutil.copytree(place.postgres.data_dir / "keys", machine / "keys")
        if (ledger_file := place.postgres.data_dir / "erasures.jsonl").exists():
            shutil.copy(ledger_file, machine)
        began = time.monotonic()
        options = (shelf / "data", "--keys-from", shelf / "keys", "--data-dir", machine)
        await _samaki("restore", *options)
        took = time.monotonic() - began
        expected = _manifests(shelf)
        with EmbeddedPostgres(machine) as postgres:
            urls = DatabaseUrls.from_embedded(postgres)
            counts, lost, half = _looked_at(urls, set(before.values()))
            verified = await _samaki("audit", "verify", "--data-dir", machine)
            summary, case_id = next(iter(before.items()))  # writers write their key
            name = place.cast.users[place.writers[ledger.owners[summary]]].username
            read = await _read(urls, machine, name, case_id, summary, output)
        different = {table for table in expected | counts if expected.get(table) != counts.get(table)}
        return Finding(
            f"{FAULT} ({writers} writers at work)",
            BAR,
            f"{sum(expected.values()):,} rows of {len(expected)} tables, {len(different)} tables differ; of"
            f" {len(before)} acknowledged before it began lost {lost}, half-written {half}; {read};"
            f" {verified.splitlines()[-1]}; {during} more acknowledged during the backup of {saved:.1f} s; restored in"
            f" {took:.1f} s",
            not different and lost == half == 0 and read == READ and ", 0 faults" in verified and during > 0,
        )


READ = "a summary is read through the API"


async def _samaki(*arguments: str | Path) -> str:
    def run() -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "app", *arguments]
        return subprocess.run(
            command, env=CLEAN, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE_SECONDS * 5, check=False
        )

    ended = await asyncio.to_thread(run)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def _manifests(shelf: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    for path in shelf.glob("*/*/manifest.json"):
        counts |= json.loads(path.read_text())["counts"]
    return counts


def _looked_at(urls: DatabaseUrls, acknowledged: set[str]) -> tuple[dict[str, int], int, int]:
    """Rows by table, and how many of the acknowledged cases are lost or torn."""
    with psycopg.connect(urls.admin) as admin:
        counts = contents.count(admin)
        stored = {str(case_id) for (case_id,) in admin.execute("select id from cases")}
        creators = [user for (user,) in admin.execute("select id from users where username like 'writer_%'")]
        row = admin.execute(HALF_WRITTEN.encode(), [creators]).fetchone()
        return counts, len(acknowledged - stored), int(row[0]) if row else -1


async def _read(urls: DatabaseUrls, machine: Path, name: str, case_id: str, summary: str, output: IO[bytes]) -> str:
    """Sign in on the new machine with the old password, and read what was written."""
    settings = urls.into(Settings(data_dir=machine))
    with address.listen("127.0.0.1", 0) as listener:
        environment = child_environment(settings, ["database_url", "reports_database_url"])
        arguments = ["api", "--descriptor", str(listener.fileno())]
        api = Process(arguments, environment, output, (listener.fileno(),))
        api.start()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not await asyncio.to_thread(address.answers, listener):  # noqa: ASYNC110 (another process)
                    await asyncio.sleep(0.02)
            async with httpx.AsyncClient(
                base_url=f"{address.url(listener)}/api/v1", timeout=PATIENCE_SECONDS
            ) as client:
                form = {"grant_type": "password", "username": name, "password": PASSWORD}
                signed_in = await client.post("/auth/token", data=form)
                if signed_in.status_code != 200:
                    return f"signing in answers {signed_in.status_code}"
                bearer = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
                case = await client.get(f"/cases/{case_id}", headers=bearer)
                same = case.status_code == 200 and case.json()["summary"] == summary
                return READ if same else f"the case answers {case.status_code}"
        finally:
            api.end()
