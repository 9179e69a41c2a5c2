"""Every code has a name in both languages, and the demo's places and names are what they say they are."""

import csv
import json
import unicodedata
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from app.demo import names, places
from app.labels import code_lists, labelled
from app.models.codes import CODE_LISTS
from app.models.codes.cases import Category
from app.models.codes.people import AreaLevel
from app.models.codes.referrals import SERVICE_TYPE_SECTOR, ServiceType
from app.text import clean_line

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
LABELS = [(name, code) for name, codes in code_lists().items() for code in codes]
# Lists that the project needs beside the agreed ones.
OWN_LISTS = {
    *("area_level", "person_role", "user_request_kind", "match_reason", "whereabouts_kind", "whereabouts_reason"),
    *("screening_kind", "screening_status", "screening_answer", "erasure_reason", "legal_hold_basis"),
    *("risk_factor", "action_prompt"),
    *("caregiver_doubt", "caregiver_bypass"),
    "worklist_kind",
    *("import_kind", "import_state", "import_row_status"),
    "caseload_level",
    *("service_status", "service_capacity", "service_warning", "weekday"),
    "distribution_cause",
}

agreed_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not beside this clone")


def agreed_lists() -> dict[str, Any]:
    lists: dict[str, Any] = json.loads((SHARED / "codes.json").read_text(encoding="utf-8"))
    return lists


def gazetteer() -> dict[str, dict[str, str]]:
    with (SHARED / "gazetteer_kh.csv").open(encoding="utf-8", newline="") as rows:
        return {row["code"]: row for row in csv.DictReader(rows)}


def is_khmer(text: str) -> bool:
    return any("\u1780" <= char <= "\u17b3" for char in text)


@agreed_data
def test_every_list_holds_the_agreed_codes_in_the_agreed_order() -> None:
    agreed = agreed_lists()
    agreed.pop("service_type_sector")
    expected = {name: [entry["code"] for entry in entries] for name, entries in agreed.items()}
    ours = {name: [code.value for code in codes] for name, codes in CODE_LISTS.items()}
    assert {name: codes for name, codes in ours.items() if name not in OWN_LISTS} == expected


@agreed_data
def test_every_service_type_lies_in_the_agreed_sector() -> None:
    assert agreed_lists()["service_type_sector"] == SERVICE_TYPE_SECTOR


def test_every_service_type_has_a_sector() -> None:
    assert SERVICE_TYPE_SECTOR.keys() == set(ServiceType)


def test_every_code_fits_its_database_column() -> None:
    assert max(len(code) for codes in CODE_LISTS.values() for code in codes) <= 40


def test_every_list_has_its_own_class() -> None:
    assert len(set(CODE_LISTS.values())) == len(CODE_LISTS)


def test_every_code_is_answered_with_its_labels_in_the_order_of_its_list() -> None:
    answered = {name: [entry.code for entry in entries] for name, entries in code_lists().items()}
    assert answered == {name: [code.value for code in codes] for name, codes in CODE_LISTS.items()}


def test_every_label_is_normal_text_in_its_own_language() -> None:
    for name, label in LABELS:
        place = f"{name}.{label.code}"
        assert is_khmer(label.km), place
        assert not is_khmer(label.en), place
        for text in (label.km, label.en):
            assert unicodedata.is_normalized("NFC", text), place
            assert clean_line(text) == text, place


def test_an_english_label_is_no_bare_code() -> None:
    bare = [(name, label.code) for name, label in LABELS if label.en == label.code or "_" in label.en]
    assert bare == []


def test_two_codes_of_one_list_never_share_a_label() -> None:
    for entries in code_lists().values():
        for language in ("en", "km"):
            texts = [getattr(entry, language) for entry in entries]
            assert len(texts) == len(set(texts)), texts


class Answer(StrEnum):
    YES = "yes"
    NO = "no"


YES = {"en": "Yes", "km": "បាទ ឬចាស"}
NO = {"en": "No", "km": "ទេ"}


@pytest.mark.parametrize(
    "labels",
    [
        {"yes": YES},
        {"yes": YES, "no": NO, "maybe": NO},
        {"yes": YES, "no": {"en": "No", "km": ""}},
        {"yes": YES, "no": {"en": "No"}},
    ],
    ids=["code without label", "label without code", "empty Khmer", "no Khmer"],
)
def test_the_application_does_not_start_with_an_incomplete_label(labels: dict[str, dict[str, str]]) -> None:
    with pytest.raises(ValueError, match="Answer"):
        labelled(Answer, labels)


def test_complete_labels_are_taken() -> None:
    assert [entry.km for entry in labelled(Answer, {"no": NO, "yes": YES})] == [YES["km"], NO["km"]]


@agreed_data
def test_the_demo_areas_are_those_of_the_gazetteer() -> None:
    public = gazetteer()
    for place in places.AREAS:
        row = public[place.code]
        assert (place.level, place.name_km, place.name_en or "", place.parent or "") == (
            row["level"],
            row["name_km"],
            row["name_en"],
            row["parent"],
        )


@agreed_data
def test_the_demo_holds_every_district_of_siem_reap_and_every_village_of_its_communes() -> None:
    demo = {place.code for place in places.AREAS}
    wanted = {code for code, row in gazetteer().items() if row["parent"] in {"17", *places.COMMUNES}}
    assert wanted - demo == set()


def test_the_demo_areas_stand_after_their_parents_and_only_once() -> None:
    seen: set[str] = set()
    for place in places.AREAS:
        assert place.code not in seen
        assert place.level is AreaLevel.PROVINCE or place.parent in seen
        seen.add(place.code)


def test_the_demo_plays_in_six_communes_of_three_districts_or_more() -> None:
    communes = [place.code for place in places.AREAS if place.level is AreaLevel.COMMUNE]
    assert sorted(communes) == sorted(places.COMMUNES)
    assert len(communes) == 6
    assert len({code[:4] for code in communes}) >= 3


def test_the_demo_has_enough_names_and_each_only_once() -> None:
    for pool, least in (
        (names.FAMILY_NAMES, 40),
        (names.FEMALE_GIVEN_NAMES, 80),
        (names.MALE_GIVEN_NAMES, 40),
    ):
        assert len(set(pool)) == len(pool) >= least


def test_the_demo_has_six_summaries_and_notes_for_every_category() -> None:
    for texts in (names.SUMMARIES, names.NOTES):
        assert texts.keys() == set(Category)
        assert all(len(set(pool)) == len(pool) >= 6 for pool in texts.values())


def test_every_demo_text_is_normal_and_in_its_own_script() -> None:
    pools = (
        names.FAMILY_NAMES,
        names.FEMALE_GIVEN_NAMES,
        names.MALE_GIVEN_NAMES,
        names.ADDRESSES,
        tuple(organisation.name for organisation in names.ORGANISATIONS),
        *names.SUMMARIES.values(),
        *names.NOTES.values(),
    )
    for text in (text for pool in pools for text in pool):
        assert is_khmer(text.km), text
        assert text.en.isascii(), text
        assert clean_line(text.km) == text.km
        assert clean_line(text.en) == text.en


def test_every_demo_commune_has_its_council() -> None:
    communes = {place.code: place for place in places.AREAS if place.level is AreaLevel.COMMUNE}
    councils = [org.name.km for org in names.ORGANISATIONS if org.kind == "commune_council"]
    assert [f"ក្រុមប្រឹក្សាឃុំ{communes[code].name_km}" for code in places.COMMUNES] == councils
