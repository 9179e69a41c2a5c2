"""The command line brings everything up and down in order, and says in one sentence what is wrong."""

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.cli.children import Child, Children
from app.embedded import EmbeddedPostgres
from app.keys import ensure
from app.settings import SetupError

PROJECT = Path(__file__).parent.parent
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("SAMAKI_")}
NOWHERE = "postgresql://anna:geheim@127.0.0.1:1/samaki"


@pytest.fixture
def place() -> Iterator[Path]:
    """A data directory that the server's account may pass."""
    path = Path(tempfile.mkdtemp(prefix="samaki-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def samaki(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env=CLEAN | variables,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def refusal(*arguments: str | Path, **variables: str) -> str:
    """What a command that cannot work says: one sentence, code 1, no stack of calls."""
    ended = samaki(*arguments, **variables)
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.startswith("samaki: ")
    assert ended.stderr.count("\n") == 1
    return ended.stderr.removeprefix("samaki: ").strip()


@contextmanager
def serving(data_dir: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A running `samaki serve` and its address."""
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--data-dir", str(data_dir)]
    process = subprocess.Popen(command, env=CLEAN, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = next((line for line in process.stdout if line.startswith("API ")), None)
        assert line is not None, "serve ended before it was up"
        yield process, line.split()[1].removesuffix("/api/v1")
    finally:
        process.terminate()
        process.communicate(timeout=30)
        with EmbeddedPostgres(data_dir):
            pass  # adopts and stops the server that a killed serve left behind


def child_processes(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def wait_for_end(descriptor: int) -> None:
    """Wait up to 20 seconds for the process behind a pidfd."""
    try:
        ended, _, _ = select.select([descriptor], [], [], 20)
        assert ended
    finally:
        os.close(descriptor)


def test_a_taken_port_is_named_with_the_remedy(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal("serve", "--port", port, "--data-dir", place)
    assert said == f"port {port} is taken; stop what uses it, or choose another with --port"


def test_a_data_directory_has_one_server_at_a_time(place: Path) -> None:
    with (place / "serve.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = refusal("serve", "--port", "0", "--data-dir", place)
    assert said == f"the data directory {place} is in use by another samaki serve"


def test_an_unreachable_database_is_said_without_its_password() -> None:
    said = refusal("migrate", SAMAKI_DATABASE_URL=NOWHERE)
    assert said.startswith("the database cannot be reached: ")
    assert "Connection refused" in said
    assert "geheim" not in said


def test_a_key_file_that_others_can_read_stops_the_start(place: Path) -> None:
    ensure(place / "keys")
    key = next((place / "keys").glob("*.pem"))
    key.chmod(0o644)
    assert str(key) in refusal("serve", "--port", "0", "--data-dir", place)


def test_a_data_directory_of_another_version_stops_the_start(place: Path) -> None:
    with EmbeddedPostgres(place) as postgres:
        pass
    (postgres.directory / "PG_VERSION").write_text("17\n")
    assert "was made by PostgreSQL 17" in refusal("migrate", "--data-dir", place)


def test_a_wrong_setting_is_named_as_it_is_written() -> None:
    assert refusal("check", SAMAKI_PORT="geheim").startswith("SAMAKI_PORT: ")
    assert "geheim" not in refusal("check", SAMAKI_PORT="geheim")


def test_a_placeholder_password_is_refused() -> None:
    said = refusal("migrate", SAMAKI_DATABASE_URL="postgresql://samaki_runtime:change-me@db/samaki")
    assert said == "SAMAKI_DATABASE_URL: still holds the placeholder password; set a real one"


def test_the_demo_serves_this_machine_alone(place: Path) -> None:
    assert "loopback only" in refusal("demo", "--data-dir", place, SAMAKI_HOST="::")


def test_the_demo_stays_away_from_real_data_and_the_network_from_the_demo(place: Path) -> None:
    (place / "postgres").mkdir()
    assert "holds real data" in refusal("demo", "--data-dir", place)
    (place / "holds-the-demo").touch()
    assert "holds the demo" in refusal("serve", "--host", "::", "--data-dir", place)


def test_an_unknown_option_is_wrong_usage() -> None:
    assert samaki("serve", "--bogus").returncode == 2


def test_check_lists_every_setting_and_no_password(place: Path) -> None:
    ended = samaki("check", "--data-dir", place, SAMAKI_DATABASE_URL=NOWHERE)
    assert ended.returncode == 1
    assert "SAMAKI_PREPARE_THRESHOLD=5" in ended.stdout
    assert "SAMAKI_DATABASE_URL=postgresql://anna:***@127.0.0.1:1/samaki" in ended.stdout
    assert "FAIL database: the database cannot be reached" in ended.stdout
    assert "geheim" not in ended.stdout + ended.stderr


def test_check_is_content_with_a_migrated_database_and_private_keys(place: Path) -> None:
    assert samaki("migrate", "--data-dir", place).returncode == 0
    ensure(place / "keys")
    ended = samaki("check", "--data-dir", place)
    assert "\nFAIL " not in ended.stdout, ended.stdout
    assert ended.returncode == 0
    assert "ok   policies" in ended.stdout


def test_migrating_twice_changes_nothing(place: Path) -> None:
    first, second = samaki("migrate", "--data-dir", place), samaki("migrate", "--data-dir", place)
    assert first.returncode == second.returncode == 0, first.stderr
    assert first.stdout == second.stdout


def test_serve_answers_and_a_signal_takes_everything_down(place: Path) -> None:
    with serving(place) as (process, url):
        with urllib.request.urlopen(f"{url}/health/live", timeout=10) as answer:  # noqa: S310 our own address
            assert json.load(answer)["status"] == "ok"
        children = child_processes(process.pid)
        assert len(children) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert not EmbeddedPostgres(place).running


def test_a_killed_api_is_started_again(place: Path) -> None:
    with serving(place) as (process, url):
        api = next(child for child in child_processes(process.pid) if "api" in command_of(child))
        os.kill(api, signal.SIGKILL)
        with urllib.request.urlopen(f"{url}/health/live", timeout=30) as answer:  # noqa: S310 our own address
            assert answer.status == 200
        assert api not in child_processes(process.pid)


def test_children_end_when_their_parent_is_killed(place: Path) -> None:
    with serving(place) as (process, _):
        children = [os.pidfd_open(child) for child in child_processes(process.pid)]
        assert len(children) == 2
        process.kill()
        for child in children:
            wait_for_end(child)


def test_a_child_that_falls_while_starting_is_a_fault_of_the_set_up() -> None:
    child = Child("API 1", ["--bogus"], CLEAN)
    with Children(child) as children:
        assert child.process is not None
        child.process.wait(30)
        with pytest.raises(SetupError, match="the API 1 stopped while starting"):
            children.all_well()
