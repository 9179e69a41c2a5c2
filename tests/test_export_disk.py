"""PostgreSQL's own disk fills while a release is stored: nothing half is there, and the next try goes through."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from app.database_urls import DatabaseUrls
from tests.cast import FrozenClock
from tests.quarters import Quarters, quarters_in

SMALL = 40
MOUNT, UNMOUNT = "/bin/mount", "/bin/umount"


@pytest.fixture
async def quarters(fresh_database: DatabaseUrls, keys_dir: Path, tmp_path: Path) -> AsyncIterator[Quarters]:
    async with quarters_in(fresh_database, keys_dir, FrozenClock(), tmp_path / "freezing") as found:
        yield found


@pytest.fixture
def small_disk(quarters: Quarters) -> Iterator[str]:
    """The name of a tablespace with a megabyte of room, on the server of the tests."""
    [owner] = quarters.db.execute("show data_directory").fetchone() or ("",)
    if os.geteuid() or not Path(owner).is_dir():
        pytest.skip("only root may mount a small disk, beside a server on this machine")
    name, room = f"small_{uuid4().hex[:12]}", Path(tempfile.mkdtemp(prefix="samaki-small-"))
    options = ["-t", "tmpfs", "-o", "size=1m", "samaki-test", str(room)]
    if subprocess.run([MOUNT, *options], check=False, capture_output=True).returncode:
        room.rmdir()
        pytest.skip("no small disk can be mounted here")
    try:
        os.chown(room, Path(owner).stat().st_uid, Path(owner).stat().st_gid)
        quarters.db.execute(
            sql.SQL("create tablespace {} location {}").format(sql.Identifier(name), sql.Literal(str(room)))
        )
        yield name
        quarters.db.execute("alter table export_chunks set tablespace pg_default")
        quarters.db.execute(sql.SQL("drop tablespace {}").format(sql.Identifier(name)))
    finally:
        subprocess.run([UNMOUNT, room], check=True)
        shutil.rmtree(room)


async def test_a_database_without_room_takes_no_half_release_and_the_next_try_is_stored(
    quarters: Quarters, small_disk: str
) -> None:
    quarters.cases(SMALL)
    move = sql.SQL("alter table export_chunks set tablespace {}").format(sql.Identifier(small_disk))
    quarters.db.execute(move)
    with psycopg.connect(quarters.urls.admin, autocommit=True) as filler:
        filler.execute(sql.SQL("create table filling (bytes text) tablespace {}").format(sql.Identifier(small_disk)))
        filler.execute("alter table filling alter column bytes set storage plain")
        with pytest.raises(psycopg.errors.DiskFull):
            filler.execute("insert into filling select repeat('x', 7000) from generate_series(1, 1000)")
        # What was not inserted keeps its pages until somebody cleans up: there is no room for anything else.
        export_id = await quarters.requested()
        assert await quarters.work() == 1
        found = await quarters.read(export_id)
        assert (found["state"], found["code"], found["report"], found["files"]) == (
            "requested",
            "disk_full",
            None,
            None,
        )
        assert quarters.count("select count(*) from export_files") == 0
        filler.execute("drop table filling")
    quarters.db.execute("alter table export_chunks set tablespace pg_default")
    assert await quarters.work() == 0, "not at once"
    assert await quarters.work(timedelta(minutes=6)) == 1
    found = await quarters.read(export_id)
    assert (found["state"], found["code"]) == ("frozen", None)
    assert not list(quarters.directory.iterdir())
