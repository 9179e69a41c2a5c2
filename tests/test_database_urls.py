"""One URL per role, and no URL that shows its password."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import make_url

from app.database_urls import (
    DatabaseUrlError,
    DatabaseUrls,
    libpq_url,
    redacted,
    sqlalchemy_url,
    working_as,
)
from app.settings import Settings, child_environment


def urls_of(**given: str) -> DatabaseUrls:
    return DatabaseUrls.from_settings(Settings.model_validate(given))


def options(url: str) -> list[str]:
    return parse_qs(urlsplit(url).query).get("options", [])


def test_one_login_works_as_each_role_in_turn() -> None:
    urls = urls_of(database_url="postgresql://anna:s3cret@db/samaki")
    assert options(urls.runtime) == ["-c role=samaki_runtime"]
    assert options(urls.owner) == ["-c role=samaki_owner"]
    assert options(urls.worker) == ["-c role=samaki_worker"]
    assert options(urls.reports) == ["-c role=samaki_reports"]
    assert options(urls.backup) == ["-c role=samaki_backup"]
    assert options(urls.loader) == ["-c role=samaki_loader"]
    assert urls.admin == "postgresql://anna:s3cret@db/samaki"


def test_a_role_with_its_own_login_needs_no_option() -> None:
    urls = urls_of(
        database_url="postgresql://samaki_runtime:a@db/samaki",
        worker_database_url="postgresql://samaki_worker:b@db/samaki",
        owner_database_url="postgresql://postgres:c@db/samaki",
    )
    assert urls.runtime == "postgresql://samaki_runtime:a@db/samaki"
    assert urls.worker == "postgresql://samaki_worker:b@db/samaki"
    assert urls.admin == "postgresql://postgres:c@db/samaki"


def test_options_that_were_there_stay() -> None:
    url = working_as("postgresql:///samaki?host=/run/a%20b&options=-c%20jit%3Doff", "samaki_runtime")
    assert options(url) == ["-c jit=off -c role=samaki_runtime"]
    assert parse_qs(urlsplit(url).query)["host"] == ["/run/a b"]
    assert url.startswith("postgresql:///samaki?")


def test_other_urls_without_the_first_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAMAKI_DATABASE_URL", raising=False)  # the suite may run on a server of its own
    with pytest.raises(DatabaseUrlError, match="SAMAKI_DATABASE_URL is missing"):
        urls_of(owner_database_url="postgresql://postgres@db/samaki")


@pytest.mark.parametrize("spelling", ["postgres", "postgresql", "postgresql+psycopg"])
def test_usual_spellings_mean_the_same(spelling: str) -> None:
    assert libpq_url(f"{spelling}://u@h/d") == "postgresql://u@h/d"


@pytest.mark.parametrize("url", ["mysql://u:geheim@h/d", "host=h password=geheim", "postgresql://u:geheim@[h/d", ""])
def test_what_is_no_url_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        libpq_url(url)
    assert "geheim" not in str(caught.value)


def test_sqlalchemy_reads_the_same_address() -> None:
    url = make_url(sqlalchemy_url("postgresql://samaki_owner@/samaki?host=/run/a%20b"))
    assert (url.drivername, url.username, url.database) == ("postgresql+psycopg", "samaki_owner", "samaki")
    assert url.query["host"] == "/run/a b"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:geheim@h:5432/d?sslmode=require",
        "postgresql://u:ge%40heim@h/d?password=geheim",
        "postgresql:///d?user=u&password=geheim&sslpassword=geheim",
    ],
)
def test_no_secret_is_left_in_what_is_shown(url: str) -> None:
    assert "heim" not in redacted(url)
    assert "heim" not in repr(urls_of(database_url=url))
    assert "heim" not in repr(Settings.model_validate({"database_url": url}))


def test_a_child_learns_only_the_urls_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMAKI_BACKUP_DATABASE_URL", "postgresql://samaki_backup:geheim@db/samaki")
    urls = urls_of(database_url="postgresql://samaki_runtime:geheim@db/samaki")
    environment = child_environment(urls.into(Settings(prepare_threshold=None)), ["database_url"])
    shown = {name: value for name, value in environment.items() if "geheim" in value}
    assert shown == {"SAMAKI_DATABASE_URL": "postgresql://samaki_runtime:geheim@db/samaki"}
    assert environment["SAMAKI_PREPARE_THRESHOLD"] == "none"


def test_a_child_reads_the_settings_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = Settings.model_validate(
        {"port": 8123, "cors_origins": "https://a.example,https://b.example", "prepare_threshold": None}
    )
    for name, value in child_environment(parent, []).items():
        monkeypatch.setenv(name, value)
    assert Settings() == parent
