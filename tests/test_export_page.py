"""The risk page: whoever has never heard of k-anonymity reads what was hidden, why, and what nobody promised."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from app.exports import rungs
from app.exports.manifest import Manifest, stated
from app.exports.measures import measured
from app.exports.page import html
from app.exports.page_words import BESIDE, FILLED, MEANS, MEANS_NOT, OMITTED, PAGE, RUNGS, WHY
from app.exports.profile import PROFILES, load_profile
from app.models.codes.files import ExportAttribute
from app.models.codes.people import Language
from app.models.report import Words
from tests.cohorts import cohort, released
from tests.exporting import Cell, quarter, release, table, written

KHMER = re.compile(r"[\u1780-\u17ff]")
LETTERS = re.compile(r"[A-Za-z]{3,}")
# What a Khmer page says in Latin letters: file names, codes, the command, and the name of the system.
CODES = re.compile(r"samaki|auditor|public|export|verify|keys|json|csv|withheld|" + "|".join(ExportAttribute))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    one = quarter()
    hidden: list[Cell] = [(("170201", value), 40) for value in ("social", "not_recorded", "withheld")]
    tables = (*one.tables, table("assistance_kind", ("place",), hidden, why=rungs.TIED))
    told = release(*tables, omitted={"closure_outcome": rungs.COMPUTED, "referral_type": rungs.ONE_VALUE})
    return written(tmp_path_factory.mktemp("exports") / "x", told)


class Page(HTMLParser):
    """The text that is read, the ids, the links and the pictures of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labelled: list[str] = []
        self.pictures = 0
        self._silent = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        self.labelled += (given.get("aria-labelledby") or "").split()
        self.pictures += given.get("role") == "img"
        self._silent = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        self.texts += [] if self._silent else [data]

    @property
    def text(self) -> str:
        return re.sub(r"[ \n]+", " ", " ".join(self.texts))


def test_the_page_gives_the_figures_of_the_manifest_and_no_other(manifest: Manifest) -> None:
    text = Page(html(manifest, Language.EN)).text
    assert f"{manifest.rows_in} cases of this quarter" in text
    assert "Quarter 3 of 2024" in text
    assert f"{manifest.audit.cells} hidden numbers were attacked" in text
    for column in manifest.columns:
        told = column.rows_out - column.withheld
        assert f"Told: {told}. Answer withheld: {column.withheld}. Left out: {column.suppressed}." in text
        assert told + column.withheld + column.suppressed == manifest.rows_in


def test_the_promise_is_said_with_its_numbers_and_what_it_is_not(manifest: Manifest) -> None:
    text = Page(html(manifest, Language.EN)).text
    assert "at least 5 rows that could be hers" in text
    assert "more than 80\N{NO-BREAK SPACE}%" in text
    assert "do not mean zero" in text
    assert "somebody who knows the answers of the others" in text


def test_what_is_omitted_stands_there_with_its_reason(manifest: Manifest) -> None:
    text = Page(html(manifest, Language.EN)).text
    assert "Closure outcome A hidden number could have been calculated from it together with other tables" in text
    assert "Referral type Nearly all cases have the same answer" in text
    nothing = html(manifest.model_copy(update={"omitted": ()}), Language.EN)
    assert "Not told at all" not in nothing


@pytest.mark.parametrize(
    ("finest", "said", "unsaid"),
    [
        ("all", "No table of this export tells place, sex or age", "Some"),
        ("commune", "No table tells sex or age. Some tell the commune", "No table of this"),
        ("commune_sex", "No table tells age. Some tell commune and sex", "sex or age"),
        ("commune_sex_age", "Some tables tell commune, sex and age", "No table"),
    ],
)
def test_what_is_told_beside_the_answers_stands_at_the_top(
    manifest: Manifest, finest: str, said: str, unsaid: str
) -> None:
    """Would catch: a reader who looks for the communes in every table, and for the reason nowhere."""
    first, *others = (one.model_copy(update={"rung": "all"}) for one in manifest.columns)
    told = manifest.model_copy(update={"columns": (*others, first.model_copy(update={"rung": finest}))})
    top = Page(html(told, Language.EN)).text.split("At a glance")[0]
    assert said in top
    assert unsaid not in top


def test_one_single_group_is_not_called_many(manifest: Manifest) -> None:
    whole = {"rung": "all", "classes": 1}
    alone = [one.model_copy(update=whole | {"k": 140 + at}) for at, one in enumerate(manifest.columns)]
    risk = manifest.risk.model_copy(update={"k": 140})
    text = Page(html(manifest.model_copy(update={"columns": tuple(alone), "risk": risk}), Language.EN)).text
    assert "140 cases at least in each table, all of them in one single group" in text
    assert "alike in every group" not in text
    assert text.count("cases, the only group") == len(alone)
    many = manifest.model_copy(update={"columns": (*alone[1:], manifest.columns[0])})
    assert "alike in every group" in Page(html(many, Language.EN)).text


@pytest.mark.parametrize("language", [Language.EN, Language.KM])
def test_which_answer_nearly_all_have_is_not_to_be_read_from_the_page(language: Language) -> None:
    """It would be told of everybody: a reason that names it, or one of its own for what is not recorded."""
    pages = set()
    for prevailing in ("yes", "no", None):
        rows = cohort(300, seed=2).with_columns(
            disability=pl.when(pl.int_range(pl.len()) % 20 > 1)
            .then(pl.lit(prevailing, dtype=pl.String))
            .otherwise(pl.when(pl.int_range(pl.len()) % 20 == 1).then(pl.lit("no")).otherwise(pl.lit("yes")))
        )
        one = released(rows)
        assert one.omitted["disability"] == rungs.ONE_VALUE
        measures = {table.attribute: measured(table.cells) for table in one.tables}
        pages.add(html(stated(one, measures, "samaki"), language))
    assert len(pages) == 1


def test_every_number_of_a_picture_stands_in_words_beside_it(manifest: Manifest) -> None:
    page = Page(html(manifest, Language.KM))
    assert page.pictures == len(manifest.columns)
    assert set(page.labelled) <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)


@pytest.mark.parametrize("language", [Language.EN, Language.KM])
def test_the_page_fetches_nothing_and_leads_nowhere_else(manifest: Manifest, language: Language) -> None:
    text = html(manifest, language)
    assert "default-src &#39;none&#39;" in text
    assert not re.search(r"<(script|img|link|iframe|form|object|embed)\b|https?://|url\(|@import| on[a-z]+=", text)
    page = Page(text)
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)


def test_a_khmer_page_is_in_khmer_and_an_english_one_in_english(manifest: Manifest) -> None:
    khmer, english = Page(html(manifest, Language.KM)).text, Page(html(manifest, Language.EN)).text
    left = LETTERS.findall(CODES.sub("", khmer.replace("Samaki", "")))
    assert left == []
    assert KHMER.findall(english.replace("សាមគ្គី", "")) == []
    assert 'lang="km"' in html(manifest, Language.KM)


def test_every_reason_and_every_rung_has_words_in_both_languages() -> None:
    codes = {value for name, value in vars(rungs).items() if name.isupper() and isinstance(value, str)}
    assert len(codes) >= 7
    assert codes == WHY.keys() | OMITTED.keys()
    assert {rungs.BY_SIZE, rungs.BASE_RISK, rungs.TOO_MUCH, rungs.TIED, rungs.COMPUTED} == WHY.keys()
    assert codes - {rungs.BY_SIZE, rungs.TIED} == OMITTED.keys()
    assert BESIDE.keys() == RUNGS.keys()
    assert {rung.name for name in PROFILES for rung in load_profile(name).rungs} == RUNGS.keys()
    by_code = (PAGE, FILLED, BESIDE, RUNGS, WHY, OMITTED)
    for words in [*(words for one in by_code for words in one.values()), *MEANS, *MEANS_NOT]:
        assert isinstance(words, Words)
        assert KHMER.search(words.km) or not LETTERS.search(re.sub(r"{\w+}", "", words.en))
        assert set(re.findall(r"{\w+}", words.en)) == set(re.findall(r"{\w+}", words.km))


def test_a_risk_is_never_told_smaller_than_it_is(manifest: Manifest) -> None:
    for share, told in ((0.8, "80"), (0.7501, "75.1"), (0.750001, "75.1"), (0.75, "75"), (1 / 3, "33.4"), (0.0, "0")):
        risk = manifest.risk.model_copy(update={"max_posterior": round(share, 6)})
        text = Page(html(manifest.model_copy(update={"risk": risk}), Language.EN)).text
        assert f"{told}\N{NO-BREAK SPACE}% at most is the share" in text


def test_the_same_manifest_is_the_same_page(manifest: Manifest) -> None:
    again = Manifest.read(manifest.written())
    assert html(again, Language.KM) == html(manifest, Language.KM)


def test_the_page_in_the_release_is_the_page_of_its_manifest(tmp_path: Path) -> None:
    manifest = written(tmp_path / "x", replace(quarter(), omitted={"id_poor": rungs.FEW_VALUES}))
    assert json.loads((tmp_path / "x" / "manifest.json").read_bytes())["omitted"]
    for name, language in (("risk-en.html", Language.EN), ("risk-km.html", Language.KM)):
        assert (tmp_path / "x" / name).read_text(encoding="utf-8") == html(manifest, language)
