"""The words of the forms in both languages; figures, names and definitions bring their own."""

from app.models.report import Unit, Words


def _w(en: str, km: str) -> Words:
    return Words(en=en, km=km)


PAGE = {
    "title": _w("Quarterly report", "របាយការណ៍ប្រចាំត្រីមាស"),
    "contents": _w("Contents", "មាតិកា"),
    "headlines": _w("At a glance", "ទិដ្ឋភាពសង្ខេប"),
    "commune": _w("Commune", "ឃុំ"),
    "indicator": _w("Figure", "តួលេខ"),
    "this_quarter": _w("This quarter", "ត្រីមាសនេះ"),
    "target": _w("Target", "គោលដៅ"),
    "year_to_date": _w("Year to date", "ពីដើមឆ្នាំ"),
    "at_start_of_year": _w("at the start of the year", "នៅដើមឆ្នាំ"),
    "nothing_recorded": _w("nothing recorded", "គ្មានកំណត់ត្រា"),
    "no_target": _w("none set", "មិនបានកំណត់"),
    "details": _w("Each figure in detail", "តួលេខនីមួយៗដោយលម្អិត"),
    "definition": _w("How it is counted", "របៀបរាប់"),
    "unit": _w("Unit", "ឯកតា"),
    "trace": _w("Records behind it", "កំណត់ត្រានៅពីក្រោយ"),
    "trend": _w("By quarter", "តាមត្រីមាស"),
    "as_table": _w("These numbers as a table", "តួលេខទាំងនេះជាតារាង"),
    "period": _w("Quarter", "ត្រីមាស"),
    "number": _w("Number", "ចំនួន"),
    "caveats": _w("Before you use these figures", "មុនពេលប្រើប្រាស់តួលេខទាំងនេះ"),
    "hidden_title": _w("Why some numbers are hidden", "ហេតុអ្វីបានជាតួលេខខ្លះត្រូវបានលាក់"),
    "hidden_why": _w(
        "Where a number is very small, neighbours could work out who is behind it. To protect people, such a number is"
        " not shown: the page says “hidden” in its place.",
        "នៅពេលដែលចំនួនមួយតូចពេក អ្នកជិតខាងអាចដឹងថាជានរណា។ ដើម្បីការពារមនុស្ស យើងមិនបង្ហាញចំនួននោះទេ ទំព័រនេះសរសេរថា «លាក់» ជំនួសវិញ។",
    ),
    "hidden_more": _w(
        "Sometimes a larger number is hidden beside it, because otherwise the small one could be found by subtraction.",
        "ពេលខ្លះចំនួនធំជាងនៅក្បែរនោះក៏ត្រូវបានលាក់ដែរ ព្រោះបើមិនដូច្នេះទេ គេអាចរកឃើញចំនួនតូចដោយធ្វើប្រមាណវិធីដក។",
    ),
    "hidden_not_zero": _w(
        "Hidden does not mean zero, and it does not mean that nothing was done.",
        "«លាក់» មិនមានន័យថាសូន្យទេ ហើយក៏មិនមានន័យថាគ្មានការងារដែរ។",
    ),
    "trace_title": _w("How to check a figure", "របៀបផ្ទៀងផ្ទាត់តួលេខ"),
    "trace_how": _w(
        "Every figure is counted from records; none is typed in. Under each figure stands a path. Added to the address"
        " of your Samaki, it lists those records, for people who may see them.",
        "តួលេខនីមួយៗរាប់ចេញពីកំណត់ត្រា គ្មានតួលេខណាវាយបញ្ចូលដោយដៃទេ។ នៅក្រោមតួលេខនីមួយៗមានផ្លូវមួយ។"
        " បើបន្ថែមផ្លូវនោះទៅលើអាសយដ្ឋាន Samaki របស់អ្នក វានឹងរាយកំណត់ត្រាទាំងនោះ សម្រាប់អ្នកដែលមានសិទ្ធិមើល។",
    ),
    "live": _w(
        "Live figures: not submitted yet. They change while records come in.",
        "តួលេខបច្ចុប្បន្ន៖ មិនទាន់បានដាក់ជូនទេ។ វាប្រែប្រួលនៅពេលមានកំណត់ត្រាថ្មី។",
    ),
    "provisional": _w(
        "Provisional: the figures of this quarter may still change.",
        "បណ្តោះអាសន្ន៖ តួលេខនៃត្រីមាសនេះអាចនៅប្រែប្រួល។",
    ),
}

# With something to fill in.
FILLED = {
    "version": _w("Version {n}, submitted. It does not change any more.", "កំណែទី {n} បានដាក់ជូនហើយ។ វាមិនប្រែប្រួលទៀតទេ។"),
    "percent": _w("{n}\N{NO-BREAK SPACE}% reached", "បាន {n}\N{NO-BREAK SPACE}%"),
    "quarter": _w("Quarter {quarter} of {year}", "ត្រីមាសទី {quarter} ឆ្នាំ {year}"),
    "months": _w("{first} to {last} {year}", "ខែ{first} ដល់ ខែ{last} ឆ្នាំ {year}"),
    "months_across": _w("{first} {first_year} to {last} {year}", "ខែ{first} ឆ្នាំ {first_year} ដល់ ខែ{last} ឆ្នាំ {year}"),
    "moment": _w("{day} {month} {year}, {time}", "ថ្ងៃទី {day} ខែ{month} ឆ្នាំ {year} ម៉ោង {time}"),
    "as_of": _w(
        "Counts what was recorded until {as_of}. Made on {made} (time in Phnom Penh).",
        "រាប់អ្វីដែលបានកត់ត្រារហូតដល់{as_of}។ បង្កើតនៅ{made} (ម៉ោងភ្នំពេញ)។",
    ),
    "chart_of": _w("{name}: {by}", "{name}៖ {by}"),
    "cell": _w("{label}: {value}.", "{label}៖ {value}។"),
}

MONTHS = (
    _w("January", "មករា"),
    _w("February", "កុម្ភៈ"),
    _w("March", "មីនា"),
    _w("April", "មេសា"),
    _w("May", "ឧសភា"),
    _w("June", "មិថុនា"),
    _w("July", "កក្កដា"),
    _w("August", "សីហា"),
    _w("September", "កញ្ញា"),
    _w("October", "តុលា"),
    _w("November", "វិច្ឆិកា"),
    _w("December", "ធ្នូ"),
)

BY = {
    "sex": _w("By sex", "តាមភេទ"),
    "age_band": _w("By age", "តាមអាយុ"),
    "disability": _w("By disability", "តាមពិការភាព"),
    "commune": _w("By commune", "តាមឃុំ"),
    "category": _w("By kind of case", "តាមប្រភេទករណី"),
}

UNITS = {
    Unit.PEOPLE: _w("people", "នាក់"),
    Unit.ATTENDANCES: _w("attendances", "វត្តមាន"),
    Unit.ESTIMATED_PEOPLE: _w("people, estimated", "នាក់ ប៉ាន់ស្មាន"),
    Unit.ACTIVITIES: _w("activities", "សកម្មភាព"),
    Unit.HOUSEHOLDS: _w("households", "គ្រួសារ"),
    Unit.BUSINESSES: _w("businesses", "អាជីវកម្ម"),
    Unit.COMMITMENTS: _w("commitments", "ការសន្យា"),
    Unit.DISTRIBUTIONS: _w("distributions", "ការចែកចាយ"),
    Unit.CASES: _w("cases", "ករណី"),
}


# The tables, in order: what may stand in one table is what may be compared. Title, introduction, units.
GROUPS = (
    (
        _w("People and families", "មនុស្ស និងគ្រួសារ"),
        _w(
            "Each person or family is counted once, however often they came or were visited.",
            "មនុស្ស ឬគ្រួសារនីមួយៗរាប់តែម្តង ទោះបីមក ឬត្រូវបានសួរសុខទុក្ខប៉ុន្មានដងក៏ដោយ។",
        ),
        frozenset({Unit.PEOPLE, Unit.HOUSEHOLDS}),
    ),
    (
        _w("Attendances", "វត្តមាន"),
        _w(
            "Whoever came three times is counted three times: these are not numbers of people.",
            "អ្នកដែលមកបីដងរាប់បីដង៖ ទាំងនេះមិនមែនជាចំនួនមនុស្សទេ។",
        ),
        frozenset({Unit.ATTENDANCES}),
    ),
    (
        _w("Reach", "ការផ្សព្វផ្សាយ"),
        _w(
            "How many people may have heard or seen something. It is an estimate, and hearing is not taking part.",
            "ចំនួនមនុស្សដែលប្រហែលជាបានឮ ឬបានឃើញ។ នេះជាការប៉ាន់ស្មាន ហើយការបានឮមិនមែនជាការចូលរួមទេ។",
        ),
        frozenset({Unit.ESTIMATED_PEOPLE}),
    ),
    (
        _w("What was done", "អ្វីដែលបានធ្វើ"),
        _w(
            "Trainings, businesses, promises and help, each counted as one.",
            "វគ្គបណ្តុះបណ្តាល អាជីវកម្ម ការសន្យា និងជំនួយ រាប់នីមួយៗជាមួយ។",
        ),
        frozenset({Unit.ACTIVITIES, Unit.BUSINESSES, Unit.COMMITMENTS, Unit.DISTRIBUTIONS}),
    ),
    (
        _w("Cases", "ករណី"),
        _w(
            "Support of individual people. Only who agreed to be counted is, and small numbers are hidden.",
            "ការគាំទ្រមនុស្សម្នាក់ៗ។ រាប់តែអ្នកដែលយល់ព្រម ហើយចំនួនតូចៗត្រូវបានលាក់។",
        ),
        frozenset({Unit.CASES}),
    ),
)

# What stands large at the top, where it is reported.
HEADLINES = (
    "women_girls_empowered",
    "workshop_participants",
    "families_visited",
    "businesses_started",
    "public_service_feedback_women",
    "people_reached",
)

# The one figure whose year to date is no sum: with how many the year began.
OPEN_AT_START = "cases_open_at_start"
