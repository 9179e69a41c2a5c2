"""Where a command works: its settings, and its database for as long as it runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from app.database_urls import DatabaseUrls
from app.embedded import EmbeddedPostgres
from app.embedded.lock import take_if_free
from app.schema import is_unfinished
from app.settings import URL_SETTINGS, Settings, SetupError, settings, use

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="where data and keys live")]


def configured(data_dir: Path | None = None, **chosen: Any) -> Settings:
    """The settings of this command: options that were given win over SAMAKI_*. Raises ValidationError."""
    options = {"data_dir": data_dir, **chosen}
    given = {name: value for name, value in options.items() if value is not None}
    return use(Settings(**given)) if given else settings()


@contextmanager
def database(chosen: Settings) -> Iterator[DatabaseUrls]:
    """The database of `server`, for every command but restore: none works on half of a backup. Raises SetupError."""
    with server(chosen) as urls:
        if is_unfinished(urls.admin):
            raise SetupError("a restore into this database did not end well: run samaki restore again, nothing else")
        yield urls


@contextmanager
def server(chosen: Settings) -> Iterator[DatabaseUrls]:
    """The database's URLs, also put into this process's settings; the embedded server, unless a URL is set,
    runs at least as long as the block. Raises SetupError."""
    if any(getattr(chosen, name) is not None for name in URL_SETTINGS):
        urls = DatabaseUrls.from_settings(chosen)
        use(urls.into(chosen))
        yield urls
        return
    with EmbeddedPostgres(chosen.data_dir) as postgres:
        urls = DatabaseUrls.from_embedded(postgres)
        use(urls.into(chosen))
        yield urls


@contextmanager
def sole_server(data_dir: Path) -> Iterator[None]:
    """One `samaki serve` per data directory. Raises SetupError."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupError(f"the data directory {data_dir} cannot be used: {error.strerror}") from error
    try:
        if not take_if_free(descriptor):
            raise SetupError(f"the data directory {data_dir} is in use by another samaki serve")
        yield
    finally:
        os.close(descriptor)
