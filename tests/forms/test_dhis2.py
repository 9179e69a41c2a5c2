"""The DHIS2 form: what the written schema says, in the order in which importers read it, and nobody counted twice."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

import app.forms
from app.errors import Invalid
from app.forms import dhis2
from app.models.report import Unit, Words
from tests.forms.reports import ORGANISATION, commune, indicator, quarter, report

SCHEMA = json.loads((Path(app.forms.__file__).parent / "dhis2.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def values(sent: dict[str, Any]) -> dict[tuple[str, str | None], str]:
    return {(one["dataElement"], one.get("categoryOptionCombo")): one["value"] for one in sent["dataValues"]}


def hidden(sent: dict[str, Any]) -> set[tuple[str, str | None]]:
    return {(one["dataElement"], one.get("categoryOptionCombo")) for one in sent["suppressed"]}


@pytest.mark.parametrize("made", [quarter, commune, report])
def test_every_set_is_what_the_schema_says(made: Any) -> None:
    VALIDATOR.validate(json.loads(json.dumps(dhis2(made()))))


@pytest.mark.parametrize(
    "change",
    [
        {"period": "2024Q5"},
        {"period": "202407"},
        {"orgUnit": "17021"},
        {"idScheme": "uid"},
        {"dataValues": [{"dataElement": "x", "period": "2024Q3", "orgUnit": "170201", "value": 3}]},
        {"dataValues": [{"dataElement": "x", "period": "2024Q3", "orgUnit": "170201", "value": "hidden"}]},
        {"dataValues": [{"dataElement": "x" * 51, "period": "2024Q3", "orgUnit": "170201", "value": "3"}]},
        {"suppressed": [{"dataElement": "x", "period": "2024Q3", "orgUnit": "170201", "value": "3"}]},
        {"comment": "more"},
    ],
)
def test_the_schema_refuses_what_dhis2_would_misread(change: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid({**dhis2(quarter()), **change})


def test_a_figure_its_slices_and_its_year_are_elements_of_their_own() -> None:
    sent = values(dhis2(quarter()))
    assert sent["women_girls_empowered", None] == "1072"
    assert sent["women_girls_empowered_by_commune", "commune_170201"] == "204"
    assert sent["women_girls_empowered_by_age_band", "age_band_60+"] == "98"
    assert sent["women_girls_empowered_year_to_date", None] == "2215"
    assert sent["workshop_participants", None] == "1243"


def test_nothing_is_sent_twice_and_no_combination_means_two_things() -> None:
    sent = dhis2(quarter())
    assert len(values(sent)) == len(sent["dataValues"])
    owner: dict[str, set[str]] = {}
    for one in sent["dataValues"]:
        if "categoryOptionCombo" in one:
            owner.setdefault(one["categoryOptionCombo"], set()).add(one["dataElement"].rsplit("_by_", 1)[1])
    assert len(owner) > 20
    assert all(len(lists) == 1 for lists in owner.values())


def test_hidden_cells_are_absent_and_listed_apart_and_zero_is_sent() -> None:
    sent = dhis2(quarter())
    expected = {
        ("cases_opened_by_category", "category_land_dispute"),
        ("cases_opened_by_category", "category_disaster_relief"),
        ("cases_opened_by_sex", "sex_other"),
        ("cases_opened_by_sex", "sex_unknown"),
        ("cases_moved_out", None),
        ("cases_moved_out_year_to_date", None),
    }
    assert hidden(sent) == expected
    assert not expected & values(sent).keys()
    assert values(sent)["businesses_started_by_sex", "sex_other"] == "0"


def test_how_to_read_the_values_comes_before_them_and_what_is_for_people_after() -> None:
    """Importers up to 2.42 take the head until the first list that they meet, and that list for the values."""
    names = list(dhis2(quarter()))
    assert names[-2:] == ["dataValues", "suppressed"]
    assert {"idScheme", "dataSet", "period", "orgUnit"} < set(names[:-2])
    assert all(isinstance(dhis2(quarter())[name], str) for name in names[:-2])


def test_a_report_of_one_commune_is_sent_for_that_commune() -> None:
    assert dhis2(quarter())["orgUnit"] == str(ORGANISATION)
    sent = dhis2(commune())
    assert {sent["orgUnit"], *(one["orgUnit"] for one in sent["dataValues"])} == {"170201"}


@pytest.mark.parametrize(
    ("starts_on", "name"),
    [
        (date(2024, 1, 1), "2024Q1"),
        (date(2024, 4, 1), "2024Q2"),
        (date(2024, 7, 1), "2024Q3"),
        (date(2024, 10, 1), "2024Q4"),
    ],
)
def test_the_quarter_is_the_one_of_the_calendar_whatever_we_call_it(starts_on: date, name: str) -> None:
    figure = indicator("families_visited", Words(en="Families", km="គ្រួសារ"), Unit.HOUSEHOLDS, 187)
    sent = dhis2(report(figure, period="2031Q1", starts_on=starts_on))
    assert {sent["period"], *(one["period"] for one in sent["dataValues"])} == {name}


@pytest.mark.parametrize("month", [2, 3, 5, 6, 8, 9, 11, 12])
def test_a_quarter_that_dhis2_does_not_know_is_refused_and_not_bent(month: int) -> None:
    with pytest.raises(Invalid):
        dhis2(report(starts_on=date(2024, month, 1)))
