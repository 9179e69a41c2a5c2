"""The page: a document that says everything in one language, fetches nothing, and lets nobody's text act."""

import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from itertools import chain

import pytest

from app.forms import PAGE_POLICY, html, words
from app.models.codes.people import Language
from app.models.report import ReportRead, Unit, Words
from tests.forms.reports import HOSTILE, commune, hostile, indicator, quarter, report, trend

VOID = {"meta", "rect", "line", "br"}
KHMER = re.compile(r"[\u1780-\u17ff]")


class Page(HTMLParser):
    """The elements of a page with their attributes and text; closing what was not opened fails."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))
        if tag not in VOID:
            self._open.append(len(self.found) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        assert self.found[self._open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for at in self._open:
            self.found[at][2].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, "".join(text).strip()) for name, attributes, text in self.found if name == tag]

    def text(self) -> str:
        return self.all("body")[0][1]


def page(one: ReportRead, language: Language = Language.EN) -> Page:
    return Page(html(one, language))


def all_words() -> Iterator[tuple[str, Words]]:
    for table in (words.PAGE, words.FILLED, words.BY, words.UNITS):
        for name, each in table.items():
            yield str(name), each
    for month in words.MONTHS:
        yield "month", month
    for title, introduction, _ in words.GROUPS:
        yield from (("group", title), ("group", introduction))


def test_every_word_of_the_page_is_there_in_both_languages_with_the_same_gaps() -> None:
    for name, each in all_words():
        if name != "percent":
            assert KHMER.search(each.km), name
        assert not KHMER.search(each.en), name
        gaps = [set(re.findall(r"\{(\w+)\}", text)) for text in (each.en, each.km)]
        assert gaps[0] == gaps[1], name


def test_every_unit_has_one_table_and_its_words() -> None:
    grouped = list(chain.from_iterable(units for *_, units in words.GROUPS))
    assert sorted(grouped) == sorted(Unit)
    assert words.UNITS.keys() == set(Unit)


def test_heads_attendances_and_estimates_never_stand_in_one_table() -> None:
    apart = [{Unit.PEOPLE, Unit.ATTENDANCES}, {Unit.PEOPLE, Unit.ESTIMATED_PEOPLE}, {Unit.CASES, Unit.PEOPLE}]
    assert not [pair for pair in apart for *_, units in words.GROUPS if pair <= units]


@pytest.mark.parametrize(("language", "tag"), [(Language.EN, "en"), (Language.KM, "km"), (Language.OTHER, "en")])
def test_the_page_says_its_language_and_who_speaks_neither_reads_english(language: Language, tag: str) -> None:
    assert page(quarter(), language).all("html")[0][0]["lang"] == tag


def test_the_khmer_page_holds_no_english_word_of_ours() -> None:
    text = page(quarter(), Language.KM).text()
    ours = [each.en for _, each in all_words() if "{" not in each.en and len(each.en) > 4]
    assert [one for one in ours if re.search(rf"\b{re.escape(one)}\b", text)] == []


def test_a_page_fetches_nothing_and_may_not() -> None:
    for one in (quarter(), commune(), hostile()):
        read = page(one)
        policy = {attributes.get("http-equiv"): attributes.get("content") for attributes, _ in read.all("meta")}
        assert policy["Content-Security-Policy"] == PAGE_POLICY
        assert PAGE_POLICY.startswith("default-src 'none'")
        fetching = {"src", "srcset", "action", "formaction", "data", "poster", "xlink:href", "background"}
        assert not [name for name, attributes, _ in read.found if fetching & attributes.keys()]
        assert all(str(attributes["href"]).startswith("#") for attributes, _ in read.all("a"))
        assert not re.search(r"url\(|@import|@font-face", html(one, Language.EN).split("</style>")[0])


def test_what_somebody_typed_is_text_and_nothing_else() -> None:
    known = {name for name, *_ in page(quarter()).found} | {name for name, *_ in page(commune()).found}
    for language in (Language.EN, Language.KM):
        read = page(hostile(), language)
        assert {name for name, *_ in read.found} <= known
        assert not [name for name, attributes, _ in read.found if any(one.startswith("on") for one in attributes)]
        for kind in ("script", "attribute", "template", "formula", "link"):
            assert HOSTILE[kind] in read.text(), kind
        assert "49" not in [text for _, text in read.all("h3")]


def test_no_character_that_turns_text_round_reaches_the_page() -> None:
    """A <bdi> alone does not hold an isolate that is never closed: what follows it would be read backwards."""
    typed = "".join(HOSTILE.values())
    turning = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069\u0000-\u0008]")
    assert {"\u202e", "\u2066", "\u0001"} <= set(turning.findall(typed))
    for language in Language:
        assert turning.findall(html(hostile(), language)) == []
    assert "leftthgir end" in page(hostile()).text()


def test_every_table_has_a_caption_and_its_headers_say_of_what() -> None:
    read = page(quarter())
    tables, captions = read.all("table"), read.all("caption")
    assert len(tables) == len(captions) > 15
    assert all(text for _, text in captions)
    assert {attributes.get("scope") for attributes, _ in read.all("th")} == {"col", "row"}


def test_every_chart_is_told_in_words_and_stands_beside_its_table() -> None:
    read = page(quarter())
    charts = [attributes for attributes, _ in read.all("svg") if attributes.get("role") == "img"]
    told = {str(attributes.get("id")): text for tag in ("title", "desc") for attributes, text in read.all(tag)}
    assert len(charts) == len(read.all("figure")) == len(read.all("details")) > 10
    for chart in charts:
        title, summary = (told[one] for one in str(chart["aria-labelledby"]).split())
        assert title
        assert summary
    assert "Female: 231. Male: 9. Other: hidden. Unknown: hidden." in told.values()
    ids = [attributes["id"] for _, attributes, _ in read.found if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_link_leads_somewhere_on_the_page() -> None:
    for one in (quarter(), report()):
        read = page(one)
        ids = {f"#{attributes['id']}" for _, attributes, _ in read.found if "id" in attributes}
        assert {attributes["href"] for attributes, _ in read.all("a")} <= ids


def test_every_figure_stands_with_definition_and_the_way_to_its_records() -> None:
    for language in (Language.EN, Language.KM):
        read = page(quarter(), language)
        terms, paths = [text for _, text in read.all("dd")], [text for _, text in read.all("code")]
        for one in quarter().indicators:
            said = (one.name, one.definition)
            name, definition = (each.km if language is Language.KM else each.en for each in said)
            assert name in [text for _, text in read.all("h3")]
            assert definition in terms
            assert one.trace in paths


def test_a_figure_is_printed_as_it_is_told_and_large_numbers_have_separators() -> None:
    cells = [text for _, text in page(quarter()).all("td")]
    assert "over 1,200" in cells
    assert "3,391" in cells
    assert not re.search(r"\b\d{4,}\b", " ".join(text for text in cells))


def test_a_target_that_is_nearly_reached_is_not_called_reached() -> None:
    name = Words(en="Families", km="គ្រួសារ")

    def share(value: int, target: int | None) -> list[str]:
        read = page(report(indicator("x", name, Unit.HOUSEHOLDS, value, target=target)))
        spans = [text for attributes, text in read.all("span") if "reached" in str(attributes.get("class"))]
        return [one.removesuffix("\N{NO-BREAK SPACE}% reached") for one in spans]

    assert share(999, 1000) == ["99"]
    assert share(1000, 1000) == ["100"]
    assert share(30, 2) == ["1,500"]
    assert share(0, 10) == ["0"]
    assert share(5, 0) == share(5, None) == []
    far = page(report(indicator("x", name, Unit.HOUSEHOLDS, 30, target=2)))
    assert [one["width"] for one, _ in far.all("rect") if one["class"] == "bar"] == ["100"]


def test_a_table_without_targets_has_no_column_for_them() -> None:
    name = Words(en="Families", km="គ្រួសារ")
    for target, there in ((None, False), (0, True), (10, True)):
        heads = [text for _, text in page(report(indicator("x", name, Unit.HOUSEHOLDS, 5, target=target))).all("th")]
        assert ("Target" in heads) is there


def test_every_name_and_definition_is_set_apart_from_the_text_around_it() -> None:
    apart = {text for _, text in page(quarter()).all("bdi")}
    for one in quarter().indicators:
        assert {one.name.en, one.definition.en} <= apart
    assert {quarter().geography.organisation.en, *(one.text.en for one in quarter().caveats)} <= apart


def test_a_hidden_number_is_a_word_that_leads_to_its_reason() -> None:
    marks = [text for attributes, text in page(quarter()).all("a") if attributes["href"] == "#hidden"]
    assert set(marks) == {"hidden"}
    assert len(marks) > 5
    assert "Hidden does not mean zero" in page(quarter()).text()
    nothing = report(indicator("x", Words(en="Families", km="គ្រួសារ"), Unit.HOUSEHOLDS, 1))
    assert "hidden" not in page(nothing).text()


def test_a_quarter_that_is_hidden_in_a_trend_alone_is_explained_too() -> None:
    figure = indicator("x", Words(en="Cases", km="ករណី"), Unit.CASES, 9)
    assert "Hidden does not mean zero" in page(report(figure, trends=[trend("x", None, 8, 9)])).text()


def test_of_a_hidden_number_no_length_is_drawn() -> None:
    figure = indicator("x", Words(en="Cases", km="ករណី"), Unit.CASES, 40, by={"sex": [40, None, 0, None]})
    classes = [attributes["class"] for attributes, _ in page(report(figure)).all("rect")]
    assert (classes.count("unknown"), classes.count("bar")) == (2, 2)


def test_live_provisional_and_submitted_reports_say_which_they_are() -> None:
    live, submitted = page(commune()).text(), page(quarter()).text()
    assert "Live figures" in live
    assert "Provisional" in live
    assert "Version 1, submitted" in submitted
    assert "Live figures" not in submitted
    assert "Provisional" not in submitted


def test_the_period_is_said_in_words_and_moments_in_phnom_penh() -> None:
    assert "July to September 2024" in page(quarter()).text()
    assert "ខែកក្កដា ដល់ ខែកញ្ញា ឆ្នាំ 2024" in page(quarter(), Language.KM).text()
    assert "until 15 October 2024, 16:30" in page(quarter()).text()  # 09:30 UTC
    across = report(period="2024Q2", starts_on=date(2024, 11, 1), ends_on=date(2025, 1, 31))
    assert "November 2024 to January 2025" in page(across).text()


def test_the_report_of_a_commune_names_it() -> None:
    assert "Chob Ta Trav (170201)" in re.sub(r"\s+", " ", page(commune()).text())
    assert "170201)" not in page(quarter()).text()


def test_a_report_without_figures_is_still_a_page() -> None:
    assert page(report()).all("h1")[0][1] == "Quarterly report"


def test_the_newest_quarter_stands_out_and_a_long_past_stays_in_the_table() -> None:
    figure = indicator("x", Words(en="Families", km="គ្រួសារ"), Unit.HOUSEHOLDS, 12)
    past = trend("x", 1, 2, 3).model_copy(
        update={"periods": [f"20{at}Q1" for at in range(10, 22)], "values": list(range(1, 13))}
    )
    read = page(report(figure, trends=[past]))
    drawn = [attributes["class"] for attributes, _ in read.all("rect")]
    assert (drawn.count("past"), drawn.count("bar")) == (7, 1)
    assert [
        text for attributes, text in read.all("th") if attributes["scope"] == "row" and "Q1" in text
    ] == past.periods


@pytest.mark.parametrize(("language", "words_for_it"), [(Language.EN, "nothing recorded"), (Language.KM, "គ្មានកំណត់ត្រា")])
def test_a_quarter_in_which_nothing_was_recorded_is_no_zero(language: Language, words_for_it: str) -> None:
    families = indicator("x", Words(en="Families", km="គ្រួសារ"), Unit.HOUSEHOLDS, 12)
    meetings = indicator("y", Words(en="Meetings", km="ប្រជុំ"), Unit.ACTIVITIES, 0)
    cases = indicator("z", Words(en="Cases", km="ករណី"), Unit.CASES, 9)

    def said(*trends: list[int | None]) -> int:
        drawn = [trend(code, *values) for code, values in zip("xyz", trends, strict=True)]
        read = page(report(families, meetings, cases, trends=drawn), language)
        return [text for _, text in read.all("td")].count(words_for_it)

    assert said([0, 4, 12], [0, 0, 0], [None, 1, 9]) == 2  # of cases something is hidden, which is no nothing
    assert said([0, 4, 12], [1, 0, 0], [7, 0, 9]) == 1  # the second quarter, of cases
    assert said([1, 4, 0], [1, 1, 0], [7, 7, 0]) == 0, "this quarter is what is reported"


def test_with_how_many_cases_the_year_began_is_said_to_be_that() -> None:
    opening = indicator("cases_open_at_start", Words(en="Open", km="បើក"), Unit.CASES, 28, year_to_date=7)
    other = indicator("cases_opened", Words(en="Opened", km="បានបើក"), Unit.CASES, 30, year_to_date=90)
    cells = [" ".join(text.split()) for _, text in page(report(opening, other)).all("td")]
    assert "7 at the start of the year" in cells
    assert "90" in cells


def test_what_stands_large_is_in_its_fixed_order_and_a_hidden_figure_is_not_among_it() -> None:
    def large(one: ReportRead) -> list[str]:
        return [text for attributes, text in page(one).all("span") if attributes.get("class") == "name"]

    name = {code: Words(en=code, km=code) for code in words.HEADLINES}
    figures = [indicator(code, name[code], Unit.HOUSEHOLDS, 7) for code in reversed(words.HEADLINES)]
    other = indicator("something_else", Words(en="something else", km="ផ្សេង"), Unit.HOUSEHOLDS, 9)
    assert large(report(other, *figures)) == list(words.HEADLINES)
    hidden = [one.model_copy(update={"value": None}) if one.code == "families_visited" else one for one in figures]
    assert large(report(*hidden)) == [one for one in words.HEADLINES if one != "families_visited"]
    assert large(report(other)) == []
