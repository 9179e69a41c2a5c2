"""Fixtures: a real PostgreSQL built by the migrations, the whole application in front of it, and a cast by role."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from app import schema
from app.database_urls import DatabaseUrls
from app.embedded import EmbeddedPostgres
from app.keys import ensure
from app.main import create_app
from app.security import Runtime
from app.settings import Settings
from app.settings import settings as process_settings
from tests.cast import AREAS, Cast, FrozenClock, add_cast
from tests.database import Server, embedded_server, given_server
from tests.ground import Ground, ground


@pytest.fixture(scope="session", autouse=True)
def anyio_backend() -> str:
    """For every test: one that is not async may be the first to ask for an async fixture."""
    return "asyncio"


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """A directory that PostgreSQL's own system user can reach when the tests run as root."""
    path = Path(tempfile.mkdtemp(prefix="samaki-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def server(data_dir: Path) -> Iterator[Server]:
    """The PostgreSQL of SAMAKI_DATABASE_URL when that is set, else an embedded one of this test process."""
    if process_settings().database_url is not None:
        yield given_server(process_settings())
        return
    with EmbeddedPostgres(data_dir) as postgres:
        made = embedded_server(postgres)
        made.forget_about_the_disk()
        made.wait_for_nobody()
        yield made


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """The name of a database with the migrated schema and the few areas that the tests speak of."""
    name = f"samaki_template_{uuid4().hex[:12]}"
    server.create(name)
    urls = server.urls(name)
    schema.prepare(urls.admin)
    schema.upgrade(urls.owner)
    with psycopg.connect(urls.owner) as connection:
        for code, level, parent in AREAS:
            row = (code, level.value, "ភូមិ", parent)
            connection.execute("insert into areas (code, level, name_km, parent) values (%s, %s, %s, %s)", row)
    return name


@pytest.fixture(scope="session")
async def set_stage(server: Server, template: str, keys_dir: Path) -> AsyncIterator[Ground]:
    """A stage that was set once and left, as the model for tests that change a stage of their own (`another`)."""
    with server.clone(template) as urls:
        async with ground(urls, keys_dir) as made:
            pass
        yield made


@pytest.fixture
def fresh_database(server: Server, template: str) -> Iterator[DatabaseUrls]:
    """An empty migrated database of the test's own."""
    with server.clone(template) as urls:
        yield urls


@pytest.fixture(scope="session")
def database(server: Server, template: str) -> Iterator[DatabaseUrls]:
    """The database that most tests share: each makes the cases it speaks about and counts on nothing else."""
    with server.clone(template) as urls:
        yield urls


@pytest.fixture(scope="session")
def clock() -> FrozenClock:
    """Time stands still until a test moves it; it never goes back."""
    return FrozenClock()


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys"
    ensure(path)
    return path


@pytest.fixture(scope="session")
def app_settings(database: DatabaseUrls, keys_dir: Path) -> Settings:
    return settings_for(database, keys_dir)


def settings_for(urls: DatabaseUrls, keys_dir: Path) -> Settings:
    """The settings of an API in front of this database; demo mode, so that the API page is there too."""
    return Settings(
        database_url=SecretStr(urls.runtime),
        reports_database_url=SecretStr(urls.reports),
        keys_dir=keys_dir,
        demo=True,
        requests_per_minute=100_000,
        searches_per_minute=100_000,
        visits_per_minute=100_000,
        search_floor_ms=0,
        pool_size=8,
        caseload_full_at=100_000,  # many tests give cases to the same few people
        erasure_ledger=keys_dir.parent / "erasures.jsonl",
    )


@pytest.fixture(scope="session")
async def app(app_settings: Settings, clock: FrozenClock) -> AsyncIterator[object]:
    application = create_app(app_settings, clock)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture(scope="session")
def runtime(app: object) -> Runtime:
    return app.state.runtime  # type: ignore[attr-defined, no-any-return]


@pytest.fixture(scope="session")
async def cast(app: object, runtime: Runtime, clock: FrozenClock) -> AsyncIterator[Cast]:
    """Everybody by role; `cast["liaison"]` is a client that calls as that person."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with Cast(transport, runtime, clock) as people:
        await add_cast(people)
        yield people


@pytest.fixture(scope="session")
def as_(cast: Cast):  # type: ignore[no-untyped-def]
    """`await as_("liaison").get("/cases")`."""
    return cast.client


@pytest.fixture
def superuser(database: DatabaseUrls) -> Iterator[psycopg.Connection]:
    """A connection that sees everything, for looking at what really is in the tables."""
    with psycopg.connect(database.admin, autocommit=True) as connection:
        yield connection
