"""What a reader must know beside the figures."""

from collections.abc import Iterator, Mapping

from app.indicators.counting import Tally
from app.indicators.definition import Source
from app.indicators.programme import PROGRAMME
from app.indicators.reading import Found
from app.models.report import Caveat, Words


def caveats_of(found: Found, chosen: Mapping[str, Tally]) -> list[Caveat]:
    """The caveats of a report, each once."""
    return [Caveat(code=code, text=Words(en=en, km=km)) for code, en, km in _all(found, chosen)]


def _all(found: Found, chosen: Mapping[str, Tally]) -> Iterator[tuple[str, str, str]]:
    scope, period = found.scope, found.scope.windows.period
    if not period.is_over(scope.now):
        yield "provisional", "The period is not over: the figures will change.", "រយៈពេលនេះមិនទាន់ចប់ទេ៖ តួលេខនឹងប្រែប្រួល។"
    if scope.seen:
        yield (
            "as_seen",
            (
                "Live figures over the records that their reader sees; the totals of the organisation are in submitted"
                " versions."
            ),
            "តួលេខបច្ចុប្បន្នលើកំណត់ត្រាដែលអ្នកអានអាចមើលឃើញ។ តួលេខសរុបរបស់អង្គការមាននៅក្នុងរបាយការណ៍ដែលបានដាក់ជូន។",
        )
    yield (
        "reach_is_not_participation",
        "Reach of campaigns is an estimate of who heard or saw them. It is not participation.",
        "ការទៅដល់នៃយុទ្ធនាការជាការប៉ាន់ស្មាននៃអ្នកដែលបានឮ ឬឃើញ។ វាមិនមែនជាការចូលរួមទេ។",
    )
    if any(tally.late for tally in chosen.values()):
        names = ", ".join(tally.indicator.name.en for tally in chosen.values() if tally.late)
        names_km = ", ".join(tally.indicator.name.km for tally in chosen.values() if tally.late)
        yield (
            "late_entries",
            (
                "Some records are of an earlier period and came after its report was submitted; they count in the"
                f" period in which they came: {names}."
            ),
            f"កំណត់ត្រាខ្លះជារបស់រយៈពេលមុន ហើយមកដល់ក្រោយពេលដាក់ជូនរបាយការណ៍នោះ។ វារាប់ក្នុងរយៈពេលដែលបានទទួល៖ {names_km}។",
        )
    yield from _of_people(found, chosen)
    yield (
        "cases_with_consent",
        (
            "Figures of cases count only those whose client agreed to statistics; small ones are not told, nor others"
            " from which they could be computed."
        ),
        "តួលេខករណីរាប់តែករណីដែលអតិថិជនយល់ព្រមឱ្យប្រើក្នុងស្ថិតិ។ តួលេខតូចៗ និងតួលេខដែលអាចគណនារកវា មិនត្រូវបានបង្ហាញទេ។",
    )
    if scope.commune is not None:
        yield (
            "cases_by_commune_yearly",
            "Figures of cases by commune are told for whole years only, with the fourth quarter.",
            "តួលេខករណីតាមឃុំបង្ហាញសម្រាប់ឆ្នាំពេញប៉ុណ្ណោះ ជាមួយត្រីមាសទីបួន។",
        )


def _of_people(found: Found, chosen: Mapping[str, Tally]) -> Iterator[tuple[str, str, str]]:
    period = found.scope.windows.period
    for one in PROGRAMME:
        tally = chosen[one.code]
        if one.instead is not None and tally.indicator is one.instead:
            yield (
                "attendances_instead_of_people",
                f"{one.name.en}: nobody is named, so that attendances are counted; who came twice is counted twice.",
                f"{one.name.km}៖ មិនមានកត់ឈ្មោះ ដូច្នេះរាប់ការចូលរួម។ អ្នកមកពីរដងរាប់ពីរដង។",
            )
        elif one.instead is not None and found.instead[one.code].value(period) > tally.rows:
            missing = found.instead[one.code].value(period) - tally.rows
            yield (
                "not_everybody_is_named",
                f"{one.name.en}: {missing:,} attendances are without a name and not among the people.",
                f"{one.name.km}៖ ការចូលរួម {missing:,} គ្មានឈ្មោះ ហើយមិនរាប់ក្នុងចំនួនមនុស្សទេ។",
            )
        places = tally.slices.get("commune")
        if places and tally.indicator.source is Source.PARTICIPANTS and sum(places.values()) > tally.value(period):
            yield (
                "people_in_several_communes",
                f"{one.name.en}: who came in several communes is counted in each of them, and once in the total.",
                f"{one.name.km}៖ អ្នកដែលបានចូលរួមក្នុងឃុំច្រើន រាប់ក្នុងឃុំនីមួយៗ ហើយរាប់ម្តងក្នុងចំនួនសរុប។",
            )
