"""Reports written down: one as a quarter may be, one commune of it, and one full of what people can type."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from app.demo import places
from app.demo.places import AREAS
from app.labels import code_lists
from app.models.report import (
    Caveat,
    Disaggregation,
    Geography,
    IndicatorRead,
    ReportRead,
    SliceCell,
    SuppressedCell,
    Trend,
    Unit,
    Words,
)

ORGANISATION = UUID("5b8f4a1e-0d0c-4c6e-9a52-3f6f2f0f8f11")
DISABILITY = {
    "yes": Words(en="With a disability", km="មានពិការភាព"),
    "no": Words(en="Without", km="គ្មានពិការភាព"),
    "unknown": Words(en="Unknown", km="មិនដឹង"),
}
COMMUNES = {
    area.code: Words(en=area.name_en or area.name_km, km=area.name_km) for area in AREAS if area.code in places.COMMUNES
}
LISTS = {
    **{name: {one.code: Words(en=one.en, km=one.km) for one in code_lists()[name]} for name in ("sex", "age_band")},
    "category": {one.code: Words(en=one.en, km=one.km) for one in code_lists()["category"]},
    "disability": DISABILITY,
    "commune": COMMUNES,
}


def indicator(code: str, name: Words, unit: Unit, value: int | None, /, **changes: Any) -> IndicatorRead:
    """A figure without target and slices, told as it is; `by` gives slices as `{"sex": [1, 2, 3, None]}`."""
    by: dict[str, list[int | None]] = changes.pop("by", {})
    shown = "hidden" if value is None else f"{value:,}"
    return IndicatorRead(
        **{
            "code": code,
            "name": name,
            "definition": Words(en=f"{name.en}, counted from what is recorded.", km=f"{name.km} រាប់ពីកំណត់ត្រា។"),
            "unit": unit,
            "value": value,
            "printed": Words(en=shown, km=shown),
            "target": None,
            "year_to_date": value,
            "disaggregations": [slices(part, cells) for part, cells in by.items()],
            "suppressed": [
                SuppressedCell(by=part, code=cell, year_to_date=False)
                for part, cells in by.items()
                for cell, at in zip(LISTS[part], cells, strict=True)
                if at is None
            ],
            "trace": f"/v1/reports/quarterly/2024Q3/records?indicator={code}",
            **changes,
        }
    )


def slices(by: str, values: list[int | None]) -> Disaggregation:
    cells = [
        SliceCell(code=code, label=label, value=value)
        for (code, label), value in zip(LISTS[by].items(), values, strict=True)
    ]
    return Disaggregation(by=by, cells=cells)


def report(*indicators: IndicatorRead, **changes: Any) -> ReportRead:
    """The quarter of the demo, submitted once, with these figures."""
    fields: dict[str, Any] = {
        "period": "2024Q3",
        "starts_on": date(2024, 7, 1),
        "ends_on": date(2024, 9, 30),
        "geography": Geography(
            organisation_id=ORGANISATION,
            organisation=Words(en="Strey Samaki", km="ស្ត្រីសាមគ្គី"),
            commune_code=None,
            commune=None,
        ),
        "generated_at": datetime(2024, 10, 15, 9, 30, tzinfo=UTC),
        "as_of": datetime(2024, 10, 15, 9, 30, tzinfo=UTC),
        "version": 1,
        "provisional": False,
        "indicators": list(indicators),
        "trends": [],
        "caveats": [],
    }
    return ReportRead(**{**fields, **changes})


def trend(code: str, *values: int | None) -> Trend:
    return Trend(code=code, periods=["2024Q1", "2024Q2", "2024Q3"], values=list(values))


def quarter() -> ReportRead:
    """The published quarter: big and small figures, targets missed and passed, cases with hidden slices."""
    over = Words(en="over 1,200", km="ជាង 1,200")
    return report(
        indicator(
            "women_girls_empowered",
            Words(en="Women and girls directly empowered", km="ស្ត្រី និងក្មេងស្រីដែលទទួលបានការពង្រឹងអំណាចដោយផ្ទាល់"),
            Unit.PEOPLE,
            1072,
            target=1300,
            year_to_date=2215,
            by={
                "age_band": [0, 12, 84, 331, 362, 178, 98, 7],
                "disability": [41, 980, 51],
                "commune": [204, 171, 158, 223, 143, 173],
            },
        ),
        indicator(
            "people_reached",
            Words(en="People reached by project activities", km="មនុស្សដែលបានទទួលព័ត៌មានពីសកម្មភាពគម្រោង"),
            Unit.ESTIMATED_PEOPLE,
            2450,
            target=2000,
            year_to_date=6120,
        ),
        indicator(
            "health_training_sessions",
            Words(en="Health training sessions", km="វគ្គបណ្តុះបណ្តាលសុខភាព"),
            Unit.ACTIVITIES,
            13,
            target=12,
            year_to_date=35,
            by={"commune": [3, 2, 2, 2, 2, 2]},
        ),
        indicator(
            "health_training_participants",
            Words(en="Women and girls at health trainings", km="វត្តមានស្ត្រី និងក្មេងស្រីក្នុងវគ្គសុខភាព"),
            Unit.ATTENDANCES,
            246,
            target=240,
            year_to_date=702,
            by={"age_band": [0, 6, 38, 72, 70, 39, 21, 0]},
        ),
        indicator(
            "workshop_participants",
            Words(
                en="Women and girls at workshops and business trainings",
                km="វត្តមានស្ត្រី និងក្មេងស្រីក្នុងសិក្ខាសាលា និងវគ្គអាជីវកម្ម",
            ),
            Unit.ATTENDANCES,
            1243,
            printed=over,
            target=1200,
            year_to_date=3391,
            by={"sex": [1243, 88, 0, 3], "age_band": [0, 0, 61, 489, 391, 190, 112, 0]},
        ),
        indicator(
            "families_visited",
            Words(en="Families visited at home", km="គ្រួសារដែលបានសួរសុខទុក្ខដល់ផ្ទះ"),
            Unit.HOUSEHOLDS,
            187,
            year_to_date=402,
            by={"commune": [36, 24, 31, 42, 29, 25]},
        ),
        indicator(
            "businesses_started",
            Words(en="Small businesses started", km="អាជីវកម្មខ្នាតតូចដែលបានចាប់ផ្តើម"),
            Unit.BUSINESSES,
            56,
            target=60,
            year_to_date=131,
            by={"sex": [52, 3, 0, 1]},
        ),
        indicator(
            "public_service_feedback_women",
            Words(en="Women who spoke about public services", km="ស្ត្រីដែលផ្តល់មតិអំពីសេវាសាធារណៈ"),
            Unit.PEOPLE,
            83,
            year_to_date=220,
        ),
        indicator(
            "commitments_kept",
            Words(en="Promises of leaders kept", km="ការសន្យារបស់មេដឹកនាំដែលបានអនុវត្ត"),
            Unit.COMMITMENTS,
            19,
            year_to_date=31,
        ),
        indicator(
            "cases_opened",
            Words(en="Cases opened", km="ករណីដែលបានបើក"),
            Unit.CASES,
            240,
            year_to_date=655,
            by={"category": [71, 58, 22, 31, 19, 16, 12, None, None], "sex": [231, 9, None, None]},
        ),
        indicator(
            "cases_moved_out",
            Words(en="Cases handed to another organisation", km="ករណីដែលប្រគល់ទៅអង្គការផ្សេង"),
            Unit.CASES,
            None,
            year_to_date=None,
            suppressed=[
                SuppressedCell(by=None, code=None, year_to_date=False),
                SuppressedCell(by=None, code=None, year_to_date=True),
            ],
        ),
        trends=[
            trend("women_girls_empowered", 688, 917, 1072),
            trend("people_reached", 1650, 2020, 2450),
            trend("workshop_participants", 980, 1168, 1243),
            trend("families_visited", 0, 164, 187),
            trend("cases_moved_out", None, 9, None),
        ],
        caveats=[
            Caveat(
                code="reach_is_not_participation",
                text=Words(
                    en="Reach is an estimate of who may have heard an announcement, not a number of participants.",
                    km="ការផ្សព្វផ្សាយជាការប៉ាន់ស្មានអ្នកដែលប្រហែលជាបានឮការប្រកាស មិនមែនជាចំនួនអ្នកចូលរួមទេ។",
                ),
            ),
            Caveat(
                code="late_entries",
                text=Words(
                    en="7 records of earlier quarters came in late and are counted in this one.",
                    km="កំណត់ត្រា 7 នៃត្រីមាសមុនបានចូលយឺត ហើយរាប់ក្នុងត្រីមាសនេះ។",
                ),
            ),
        ],
    )


def commune() -> ReportRead:
    """One commune, live and not over."""
    whole = quarter()
    place = whole.geography.model_copy(update={"commune_code": "170201", "commune": COMMUNES["170201"]})
    return whole.model_copy(update={"geography": place, "version": None, "provisional": True})


HOSTILE = {
    "script": "</title></style></script><svg onload=alert(1)><img src=https://evil.test/x.png>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "formula": "=1+1",
    "call": "@SUM(1+1)*cmd|' /C calc'!A0",
    "link": "https://evil.test/?q=1",
    "template": "{{ 7 * 7 }}{% raw %}{0.__class__}",
    "turned": "left\u202ethgir\u202d\u2066 end",
    "unbroken": "W" * 300,
    "khmer": "សាមគ្គី" * 40,
    "invisible": "a\u200b\u0001\ufffe b",
}


def hostile() -> ReportRead:
    """A report in which every text is what somebody typed to see what happens."""
    bad = [Words(en=text, km=text) for text in HOSTILE.values()]
    figures = [
        indicator(
            f"figure_{at}",
            name,
            unit,
            10**at,
            definition=bad[-at],
            printed=bad[(at + 1) % len(bad)],
            trace="/v1/x?q=" + name.en,
            target=at,
            disaggregations=[
                Disaggregation(by=name.en, cells=[SliceCell(code=one.en, label=one, value=at) for one in bad])
            ],
        )
        for at, (name, unit) in enumerate(zip(bad, [*Unit, Unit.CASES], strict=True))
    ]
    return report(
        *figures,
        geography=Geography(organisation_id=ORGANISATION, organisation=bad[0], commune_code="170201", commune=bad[6]),
        caveats=[Caveat(code=one.en, text=one) for one in bad],
        trends=[Trend(code="figure_1", periods=[f"20{at:02}Q1" for at in range(10, 24)], values=list(range(14)))],
    )
