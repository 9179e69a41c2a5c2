"""The embedded PostgreSQL starts, is shared, survives rough treatment, and says what is wrong."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from app.embedded import EmbeddedError, EmbeddedPostgres, binaries, cluster

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another account")

HOLD = """
import sys, pathlib
from app.embedded import EmbeddedPostgres
with EmbeddedPostgres(pathlib.Path(sys.argv[1])) as postgres:
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that other accounts may pass; pytest's own temporary directories are closed."""
    path = Path(tempfile.mkdtemp(prefix="samaki-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def ask(postgres: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(postgres.url("postgres", "samaki"), autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def holder(data_dir: Path) -> "subprocess.Popen[str]":
    """Another process that uses the same server until its input closes."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def postmaster(postgres: EmbeddedPostgres) -> int:
    pid = cluster.postmaster_pid(postgres.directory)
    assert pid is not None
    return pid


def test_an_empty_directory_becomes_a_durable_database_that_listens_to_no_network(place: Path) -> None:
    with EmbeddedPostgres(place / "data") as postgres:
        assert postgres.running
        assert postgres.version == ask(postgres, "show server_version")
        assert ask(postgres, "show listen_addresses") == ""
        assert ask(postgres, "show fsync") == ask(postgres, "show synchronous_commit") == "on"
        assert ask(postgres, "show data_checksums") == "on"
        assert ask(postgres, "show server_encoding") == "UTF8"
        assert ask(postgres, "show jit") == "off"
    assert not postgres.running


def test_files_and_socket_are_closed_to_every_other_account(place: Path) -> None:
    with EmbeddedPostgres(place / "data") as postgres:
        for closed in (postgres.directory, postgres.socket_dir):
            assert closed.stat().st_mode & 0o777 == 0o700
        assert (place / "data").stat().st_mode & 0o066 == 0
        rules = ask(postgres, "select string_agg(concat_ws(' ', type, auth_method), ',') from pg_hba_file_rules")
        assert rules == "local peer"


@as_root
def test_the_server_never_runs_as_root(place: Path) -> None:
    with EmbeddedPostgres(place / "data") as postgres:
        assert Path(f"/proc/{postmaster(postgres)}").stat().st_uid != 0


def test_a_running_server_is_adopted_and_stopped_by_the_last_one_out(place: Path) -> None:
    other = holder(place / "data")
    with EmbeddedPostgres(place / "data") as postgres:
        first = postmaster(postgres)
    assert postmaster(postgres) == first
    other.communicate()
    assert not postgres.running


def test_a_server_whose_user_was_killed_is_adopted(place: Path) -> None:
    other = holder(place / "data")
    other.kill()
    other.communicate()
    with EmbeddedPostgres(place / "data") as postgres:
        assert ask(postgres, "select 1") == 1
    assert not postgres.running


def test_a_killed_server_comes_back_with_everything_committed(place: Path) -> None:
    with EmbeddedPostgres(place / "data") as postgres:
        with psycopg.connect(postgres.url("postgres", "samaki")) as connection:
            connection.execute("create table kept as select 7 as number")
        os.kill(postmaster(postgres), signal.SIGKILL)
        with EmbeddedPostgres(place / "data") as again:
            assert ask(again, "select number from kept") == 7


def test_a_process_number_that_now_belongs_to_somebody_else_is_not_believed(place: Path) -> None:
    with EmbeddedPostgres(place / "data") as postgres:
        pass
    (postgres.directory / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert not postgres.running
    with postgres:
        assert ask(postgres, "select 1") == 1


def test_a_cluster_half_made_by_a_crash_is_made_again(place: Path) -> None:
    (place / "data" / "postgres.new").mkdir(parents=True)
    (place / "data" / "postgres.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(place / "data") as postgres:
        assert ask(postgres, "select 1") == 1


def test_spaces_and_quotes_in_the_path_do_no_harm(place: Path) -> None:
    with EmbeddedPostgres(place / 'it\'s "$HOME" %d') as postgres:
        assert ask(postgres, "select 1") == 1


def refusal(data_dir: Path) -> str:
    with pytest.raises(EmbeddedError) as caught, EmbeddedPostgres(data_dir):
        pass
    return str(caught.value)


def test_a_directory_of_another_version_is_refused(place: Path) -> None:
    with EmbeddedPostgres(place / "data") as postgres:
        pass
    (postgres.directory / "PG_VERSION").write_text("17\n")
    assert "was made by PostgreSQL 17 and this is 18" in refusal(place / "data")


def test_a_directory_that_is_no_cluster_is_refused(place: Path) -> None:
    (place / "data" / "postgres").mkdir(parents=True)
    assert "is not a PostgreSQL data directory" in refusal(place / "data")


def test_a_path_too_long_for_a_socket_is_refused_before_anything_is_made(place: Path) -> None:
    assert "bytes too long" in refusal(place / ("x" * 100))
    assert list(place.iterdir()) == []


def test_a_file_in_the_place_of_the_data_directory_is_refused(place: Path) -> None:
    (place / "data").touch()
    assert "cannot be used: File exists" in refusal(place / "data")


@as_root
def test_a_closed_parent_is_named_and_left_closed(place: Path) -> None:
    (place / "closed").mkdir(mode=0o700)
    assert f"chmod o+x {place / 'closed'}" in refusal(place / "closed" / "data")
    assert (place / "closed").stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_in_a_closed_directory_are_copied_where_the_server_may_run_them(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_spec(binaries.PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    unused = shutil.ignore_patterns("include", "pginstall", "*.a")
    shutil.copytree(package, closed / package.name, symlinks=True, ignore=unused)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    monkeypatch.syspath_prepend(closed)
    monkeypatch.setattr(binaries, "COPIES", place / "copies")
    with EmbeddedPostgres(place / "data") as postgres:
        program = Path(f"/proc/{postmaster(postgres)}/exe").readlink()
    assert program.is_relative_to(place / "copies")
    assert program.stat().st_uid == 0
    assert len(list((place / "copies").iterdir())) == 1


def test_a_missing_wheel_is_said_with_the_remedy(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "PACKAGE", "a_package_that_is_not_installed")
    assert "set SAMAKI_DATABASE_URL, or install the extra" in refusal(place / "data")
