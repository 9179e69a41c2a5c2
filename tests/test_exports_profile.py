"""What no profile names is never exported, and a profile that is not one is refused before anything is read."""

import copy
import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.exports import profile as profiles
from app.exports.freezing import Refused
from app.exports.profile import NOT_RECORDED, ProfileError, load_profile, profile_of
from app.models.codes.assistance import AssistanceKind
from app.models.codes.cases import CaseStatus, Category, Outcome
from app.models.codes.files import ExportAttribute
from app.models.codes.people import AgeBand, IdPoorLevel, Sex
from app.models.codes.referrals import Sector
from tests.cohorts import AUDITOR, PUBLIC, cohort, released, table

FOLDER = Path(profiles.__file__).parent / "profiles"
DATA: dict[str, Any] = json.loads((FOLDER / "auditor-v1.json").read_text()) | json.loads(
    (FOLDER / "lists-v1.json").read_text()
)
Change = Callable[[dict[str, Any]], None]


def changed(change: Change) -> dict[str, Any]:
    data = copy.deepcopy(DATA)
    change(data)
    return data


def base(data: dict[str, Any], column: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in data["base"] if one["column"] == column)
    return found


def attribute(data: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in data["attributes"] if one["name"] == name)
    return found


def test_the_profiles_are_those_of_the_design() -> None:
    assert [(one.k, one.name) for one in (AUDITOR, PUBLIC)] == [(5, "auditor-v1"), (11, "public-v1")]
    for one in (AUDITOR, PUBLIC):
        assert (one.largest_posterior, one.largest_base_risk, one.largest_hidden_share) == (0.8, 0.03, 0.25)
        assert [(rung.at_least, set(rung.levels.values()) - {"all"}) for rung in one.rungs] == [
            (1200, {"commune", "sex", "band"}),
            (400, {"commune", "sex"}),
            (200, {"commune"}),
            (0, set()),
        ]
        assert {own.name: own.l for own in one.attributes} == {own.value: 3 for own in ExportAttribute} | {
            "disability": 2
        }
    assert AUDITOR.hash != PUBLIC.hash
    assert AUDITOR.hash == load_profile("auditor-v1").hash == profile_of(DATA).hash


def test_every_code_of_the_lists_is_told_as_something() -> None:
    """Would catch: a code added to a list, over which the next export would stop."""
    lists: dict[str, type[StrEnum]] = {
        "category": Category,
        "referral_type": Sector,
        "closure_outcome": Outcome,
        "id_poor": IdPoorLevel,
        "assistance_kind": AssistanceKind,
        "status": CaseStatus,
    }
    for name, listed in lists.items():
        own = AUDITOR.attribute(name)
        assert {one.value for one in listed} <= set(own.values) | set(own.recode), name
    sexes = {path for one in AUDITOR.base if one.column == "sex" for path in one.paths}
    assert sexes == {one.value for one in Sex} - {"unknown"}
    ages = {path for one in AUDITOR.base if one.column == "age" for path in one.paths}
    assert ages == {one.value for one in AgeBand} - {"unknown"}


def test_nothing_about_abortion_or_rape_has_a_value_of_its_own() -> None:
    """A referral is told by its sector; a type of a service that came along would stop the export by its name."""
    for one in (AUDITOR, PUBLIC):
        told = {*one.attribute("referral_type").values, *one.attribute("referral_type").recode}
        assert not {"safe_abortion", "clinical_management_of_rape"} & told
        assert told >= {sector.value for sector in Sector}
    rows = cohort(600, seed=1).with_columns(referral_type=pl.lit("safe_abortion"))
    with pytest.raises(Refused, match="unknown_code"):
        released(rows)


def test_bands_take_every_number() -> None:
    amount, days = AUDITOR.attribute("assistance_amount_band"), AUDITOR.attribute("first_follow_up_band")
    assert [amount.band(cents) for cents in (0, 999, 1000, 2499, 2500, 9999, 10_000, 9_000_000)] == [
        "under_10_usd",
        "under_10_usd",
        "10_to_24_usd",
        "10_to_24_usd",
        "25_to_49_usd",
        "50_to_99_usd",
        "100_usd_and_more",
        "100_usd_and_more",
    ]
    assert [days.band(number) for number in (0, 7, 8, 90, 91)] == [
        "up_to_7_days",
        "up_to_7_days",
        "8_to_14_days",
        "31_to_90_days",
        "over_90_days",
    ]
    for own, number in ((days, -1), (AUDITOR.attribute("category"), 3)):
        with pytest.raises(ValueError, match="no band"):
            own.band(number)


BROKEN: dict[str, tuple[Change, str]] = {
    "two parents": (lambda data: base(data, "age")["paths"][1].__setitem__(1, "18-59"), ""),
    "a band in two": (
        lambda data: base(data, "age")["paths"].append(["00-04", "18-59", "all"]),
        r"age: .*level `report_band` .*not nested",
    ),
    "a level missing": (
        lambda data: base(data, "age")["paths"][0].pop(1),
        r"age: `00-04` is not told on level `all` \(not total\)",
    ),
    "not to the end": (lambda data: base(data, "sex")["paths"][0].__setitem__(1, "people"), "level `all`.*not total"),
    "no years": (lambda data: base(data, "age")["years"].pop("60+"), r"level `report_band`.*not total"),
    "a gap": (lambda data: base(data, "age")["years"].__setitem__("18-29", [19, 29]), "gap or overlap at 19"),
    "an overlap": (lambda data: base(data, "age")["years"].__setitem__("18-29", [17, 29]), "gap or overlap at 17"),
    "not from birth": (lambda data: base(data, "age")["years"].__setitem__("00-04", [1, 4]), "gap or overlap at 1"),
    "a circle": (
        lambda data: base(data, "sex").update(
            levels=["sex", "kind", "all"], paths=[["female", "male", "all"], ["male", "female", "all"]]
        ),
        r"sex: .*level `(sex|kind)` is above itself \(a circle\)",
    ),
    "no all": (lambda data: base(data, "sex").update(levels=["sex", "gender"]), "end in `all`"),
    "not a pattern": (lambda data: base(data, "place").update(pattern="(("), "level `commune` has no pattern"),
    "neither": (lambda data: base(data, "place").pop("pattern"), "either paths or a pattern"),
    "a rung finer again": (
        lambda data: data["rungs"][2]["levels"].update(age="band"),
        "rung `commune` is not coarser than `commune_sex`",
    ),
    "a rung with no level": (lambda data: data["rungs"][0]["levels"].update(age="years"), "age has no level `years`"),
    "a rung without a column": (lambda data: data["rungs"][0]["levels"].pop("sex"), "one level for each"),
    "no last rung": (lambda data: data["rungs"].pop(), "last rung"),
    "rungs of one size": (lambda data: data["rungs"][1].update(at_least=1200), "not coarser"),
    "a value twice": (lambda data: attribute(data, "category")["values"].append("id_poor"), "category: values"),
    "withheld": (lambda data: attribute(data, "category")["values"].append("withheld"), "category: values"),
    "told as nothing": (lambda data: attribute(data, "id_poor")["recode"].update(unknown="no"), "id_poor"),
    "bands that fall": (
        lambda data: attribute(data, "first_follow_up_band")["bands"].update(up_to_7_days=20),
        "bands must rise",
    ),
    "a band too many": (
        lambda data: attribute(data, "first_follow_up_band")["values"].remove("up_to_7_days"),
        "a band is no value",
    ),
    "an unknown tie": (lambda data: data["tied"].append(["village", "status"]), "tied"),
    "a column twice": (lambda data: data["attributes"].append(data["attributes"][0]), "one name"),
    "a village": (lambda data: data.update(village=True), "village"),
    "k of one": (lambda data: data.update(k=1), "^k: "),
    "k as text": (lambda data: data.update(k="5"), "^k: "),
    "no posterior": (lambda data: data.pop("largest_posterior"), "largest_posterior"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_profile_that_is_none_is_refused_by_name(name: str) -> None:
    """Proof 8. Would catch: a code that is told under two parents, or under none, or for ever."""
    change, said = BROKEN[name]
    if name == "two parents":
        profile_of(changed(change))  # another profile, and a good one
        return
    with pytest.raises(ProfileError, match=said):
        profile_of(changed(change))


def test_an_unknown_profile_is_refused_without_looking_for_it() -> None:
    for name in ("auditor-v2", "../profile", "lists-v1", ""):
        with pytest.raises(ProfileError, match="no such profile"):
            load_profile(name)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("category", "land_grab", "land_grab"),
        ("category", "withheld", "withheld"),
        ("category", NOT_RECORDED, NOT_RECORDED),
        ("status", "Sok Dara, 012 000 111", "(no code)"),
        ("sex", "f", "f"),
        ("commune", "990101", "990101"),
        ("commune", "17020105", "17020105"),
        ("commune", "១៧០២០១", "(no code)"),
        ("assistance_amount_band", "2500", "2500"),
    ],
)
def test_an_unknown_code_is_refused_by_name_and_what_is_no_code_is_not_repeated(
    column: str, value: str, said: str
) -> None:
    """Proof 5. Would catch: a new code that goes out unseen; a name in a message that ends in a log."""
    rows = cohort(300, seed=1)
    rows = rows.with_columns(
        pl.when(pl.int_range(pl.len()) == 150).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
    )
    with pytest.raises(Refused) as refused:
        released(rows)
    assert (refused.value.code, refused.value.column, refused.value.value) == ("unknown_code", column, said)
    assert "Sok Dara" not in str(refused.value)


@pytest.mark.parametrize("age", [-1, 131])
def test_an_age_that_nobody_has_is_refused(age: int) -> None:
    rows = cohort(300, seed=1).with_columns(age=pl.lit(age))
    with pytest.raises(Refused, match=f"unknown_code: age `{age}`"):
        released(rows)


def test_a_place_above_the_commune_an_unknown_sex_and_no_age_are_not_recorded() -> None:
    rows = cohort(1300, seed=1)
    odd = pl.int_range(pl.len()) % 3
    rows = rows.with_columns(
        commune=pl.when(odd == 0).then(pl.lit("1702")).when(odd == 1).then(pl.lit("17")),
        sex=pl.when(odd == 0).then(pl.lit("unknown")),
        age=pl.lit(None, dtype=pl.Int64),
    )
    told = table(released(rows), "category").rows
    assert told.select("place", "sex", "age").unique().rows() == [(NOT_RECORDED,) * 3]


def test_a_column_that_is_missing_or_of_another_kind_is_an_error_of_the_program() -> None:
    rows = cohort(300, seed=1)
    for wrong in (
        rows.drop("status"),
        rows.with_columns(pl.col("commune").cast(pl.Int64)),
        rows.with_columns(pl.col("age").cast(pl.Float64)),
    ):
        with pytest.raises(ValueError, match=r"status is missing|commune must be codes|age must be years"):
            released(wrong)
