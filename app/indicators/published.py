"""The fourteen indicators of the published quarter (../shared/data/quarter.json), by its own definitions."""

from app.indicators.definition import Count, Indicator, Source, words
from app.models.report import Unit


def only(**columns: str | tuple[str, ...]) -> dict[str, frozenset[str]]:
    """The values that a row must have, by column."""
    return {name: frozenset([value] if isinstance(value, str) else value) for name, value in columns.items()}


WORKSHOPS = ("self_empowerment_workshop", "business_training")
LEARNING = ("health_training", *WORKSHOPS, "public_forum", "public_seminar")
WHO = ("sex", "age_band", "disability", "commune")
WHICH_WOMEN = ("age_band", "disability", "commune")

PUBLISHED: tuple[Indicator, ...] = (
    Indicator(
        code="people_reached",
        name=words("People reached", "មនុស្សដែលបានទៅដល់"),
        definition=words(
            "Estimated people reached in the period: campaign reach. Reach is not participation.",
            "ចំនួនប៉ាន់ស្មាននៃមនុស្សដែលបានទៅដល់ក្នុងរយៈពេលនេះ គឺការទៅដល់នៃយុទ្ធនាការ។ ការទៅដល់មិនមែនជាការចូលរួមទេ។",
        ),
        unit=Unit.ESTIMATED_PEOPLE,
        source=Source.ACTIVITIES,
        count=Count.SUM,
        where=only(kind="media_campaign"),
    ),
    Indicator(
        code="women_girls_empowered",
        name=words("Women and girls empowered", "ស្ត្រី និងក្មេងស្រីដែលបានពង្រឹងសមត្ថភាព"),
        definition=words(
            "Distinct female people of the register (linked rows once) with attendance at a training, workshop, forum"
            " or seminar in the period.",
            "ចំនួនស្ត្រី និងក្មេងស្រីផ្សេងៗគ្នាក្នុងបញ្ជី (កំណត់ត្រាដែលភ្ជាប់គ្នារាប់តែម្តង) ដែលបានចូលរួមវគ្គបណ្តុះបណ្តាល សិក្ខាសាលា ឬវេទិកា"
            " ក្នុងរយៈពេលនេះ។",
        ),
        unit=Unit.PEOPLE,
        source=Source.PARTICIPANTS,
        count=Count.DISTINCT,
        where=only(kind=LEARNING, sex="female"),
        by=WHICH_WOMEN,
        instead=Indicator(
            code="women_girls_empowered",
            name=words("Attendances of women and girls", "ការចូលរួមរបស់ស្ត្រី និងក្មេងស្រី"),
            definition=words(
                "Female attendances at trainings, workshops, forums and seminars, at which nobody was named: who came"
                " twice is counted twice.",
                "ការចូលរួមរបស់ស្ត្រីក្នុងវគ្គបណ្តុះបណ្តាល សិក្ខាសាលា និងវេទិកា ដែលមិនមានកត់ឈ្មោះ៖ អ្នកមកពីរដងរាប់ពីរដង។",
            ),
            unit=Unit.ATTENDANCES,
            source=Source.ATTENDANCE,
            count=Count.SUM,
            where=only(kind=LEARNING, sex="female"),
            by=WHICH_WOMEN,
        ),
    ),
    Indicator(
        code="health_training_sessions",
        name=words("Health training sessions", "វគ្គបណ្តុះបណ្តាលសុខភាព"),
        definition=words("Activities of kind health training.", "សកម្មភាពប្រភេទវគ្គបណ្តុះបណ្តាលសុខភាព។"),
        unit=Unit.ACTIVITIES,
        source=Source.ACTIVITIES,
        count=Count.ROWS,
        where=only(kind="health_training"),
    ),
    Indicator(
        code="health_training_participants",
        name=words("Women and girls at health trainings", "ស្ត្រី និងក្មេងស្រីក្នុងវគ្គបណ្តុះបណ្តាលសុខភាព"),
        definition=words(
            "Female attendances at health trainings: who came twice is counted twice.",
            "ការចូលរួមរបស់ស្ត្រីក្នុងវគ្គបណ្តុះបណ្តាលសុខភាព៖ អ្នកមកពីរដងរាប់ពីរដង។",
        ),
        unit=Unit.ATTENDANCES,
        source=Source.ATTENDANCE,
        count=Count.SUM,
        where=only(kind="health_training", sex="female"),
        by=WHICH_WOMEN,
    ),
    Indicator(
        code="self_empowerment_workshops",
        name=words("Workshops and business trainings", "សិក្ខាសាលា និងវគ្គបណ្តុះបណ្តាលមុខរបរ"),
        definition=words(
            "Activities of kind self-empowerment workshop or business training.",
            "សកម្មភាពប្រភេទសិក្ខាសាលាពង្រឹងសមត្ថភាពខ្លួនឯង ឬវគ្គបណ្តុះបណ្តាលមុខរបរ។",
        ),
        unit=Unit.ACTIVITIES,
        source=Source.ACTIVITIES,
        count=Count.ROWS,
        where=only(kind=WORKSHOPS),
    ),
    Indicator(
        code="workshop_participants",
        name=words("Women and girls at workshops", "ស្ត្រី និងក្មេងស្រីក្នុងសិក្ខាសាលា"),
        definition=words(
            "Female attendances at self-empowerment workshops and business trainings, groups included: who came twice"
            " is counted twice.",
            "ការចូលរួមរបស់ស្ត្រីក្នុងសិក្ខាសាលាពង្រឹងសមត្ថភាពខ្លួនឯង និងវគ្គបណ្តុះបណ្តាលមុខរបរ រាប់បញ្ចូលក្រុមផង៖ អ្នកមកពីរដងរាប់ពីរដង។",
        ),
        unit=Unit.ATTENDANCES,
        source=Source.ATTENDANCE,
        count=Count.SUM,
        where=only(kind=WORKSHOPS, sex="female"),
        by=WHICH_WOMEN,
        told_in=100,
    ),
    Indicator(
        code="smart_women_in_workshops",
        name=words("Smart Women at workshops", "ស្ត្រីឆ្លាតវៃក្នុងសិក្ខាសាលា"),
        definition=words(
            "Distinct people of the register (linked rows once) of the group Smart Women at self-empowerment workshops"
            " and business trainings.",
            "ចំនួនមនុស្សផ្សេងៗគ្នាក្នុងបញ្ជី (កំណត់ត្រាដែលភ្ជាប់គ្នារាប់តែម្តង) នៃក្រុមស្ត្រីឆ្លាតវៃ ក្នុងសិក្ខាសាលា និងវគ្គបណ្តុះបណ្តាលមុខរបរ។",
        ),
        unit=Unit.PEOPLE,
        source=Source.PARTICIPANTS,
        count=Count.DISTINCT,
        where=only(kind=WORKSHOPS, participant_group="smart_woman"),
        by=WHO,
    ),
    Indicator(
        code="business_training_women",
        name=words("Women at business trainings", "ស្ត្រីក្នុងវគ្គបណ្តុះបណ្តាលមុខរបរ"),
        definition=words(
            "Female attendances at business trainings: who came twice is counted twice.",
            "ការចូលរួមរបស់ស្ត្រីក្នុងវគ្គបណ្តុះបណ្តាលមុខរបរ៖ អ្នកមកពីរដងរាប់ពីរដង។",
        ),
        unit=Unit.ATTENDANCES,
        source=Source.ATTENDANCE,
        count=Count.SUM,
        where=only(kind="business_training", sex="female"),
        by=WHICH_WOMEN,
    ),
    Indicator(
        code="businesses_started",
        name=words("Businesses started", "មុខរបរដែលបានចាប់ផ្តើម"),
        definition=words("Businesses that started in the period.", "មុខរបរដែលបានចាប់ផ្តើមក្នុងរយៈពេលនេះ។"),
        unit=Unit.BUSINESSES,
        source=Source.BUSINESSES,
        count=Count.ROWS,
        by=WHO,
    ),
    Indicator(
        code="campaign_reach",
        name=words("Reach of campaigns", "ការទៅដល់នៃយុទ្ធនាការ"),
        definition=words(
            "Sum of the reach of media campaigns, as it was estimated. Reach is not participation.",
            "ផលបូកនៃការទៅដល់របស់យុទ្ធនាការផ្សព្វផ្សាយ តាមការប៉ាន់ស្មាន។ ការទៅដល់មិនមែនជាការចូលរួមទេ។",
        ),
        unit=Unit.ESTIMATED_PEOPLE,
        source=Source.ACTIVITIES,
        count=Count.SUM,
        where=only(kind="media_campaign"),
    ),
    Indicator(
        code="assistance_meetings_women",
        name=words("Women at assistance meetings", "ស្ត្រីក្នុងកិច្ចប្រជុំអំពីជំនួយ"),
        definition=words(
            "Distinct female people of the register (linked rows once) at assistance meetings, in which a woman meets"
            " community leaders about assistance or health care.",
            "ចំនួនស្ត្រីផ្សេងៗគ្នាក្នុងបញ្ជី (កំណត់ត្រាដែលភ្ជាប់គ្នារាប់តែម្តង) ក្នុងកិច្ចប្រជុំអំពីជំនួយ ដែលស្ត្រីជួបអ្នកដឹកនាំសហគមន៍អំពីជំនួយ ឬការថែទាំសុខភាព។",
        ),
        unit=Unit.PEOPLE,
        source=Source.PARTICIPANTS,
        count=Count.DISTINCT,
        where=only(kind="assistance_meeting", sex="female"),
        by=WHICH_WOMEN,
        instead=Indicator(
            code="assistance_meetings_women",
            name=words("Attendances of women at assistance meetings", "ការចូលរួមរបស់ស្ត្រីក្នុងកិច្ចប្រជុំអំពីជំនួយ"),
            definition=words(
                "Female attendances at assistance meetings at which nobody was named: who came twice counts twice.",
                "ការចូលរួមរបស់ស្ត្រីក្នុងកិច្ចប្រជុំអំពីជំនួយ ដែលមិនមានកត់ឈ្មោះ៖ អ្នកមកពីរដងរាប់ពីរដង។",
            ),
            unit=Unit.ATTENDANCES,
            source=Source.ATTENDANCE,
            count=Count.SUM,
            where=only(kind="assistance_meeting", sex="female"),
            by=WHICH_WOMEN,
        ),
    ),
    Indicator(
        code="families_visited",
        name=words("Families visited", "គ្រួសារដែលបានទៅសួរសុខទុក្ខ"),
        definition=words(
            "Distinct households with a home visit in the period: a household visited three times is one family.",
            "ចំនួនគ្រួសារផ្សេងៗគ្នាដែលមានការទៅសួរដល់ផ្ទះក្នុងរយៈពេលនេះ៖ គ្រួសារដែលបានទៅសួរបីដងរាប់ជាមួយ។",
        ),
        unit=Unit.HOUSEHOLDS,
        source=Source.HOME_VISITS,
        count=Count.DISTINCT,
    ),
    Indicator(
        code="forum_participants",
        name=words("Women at forums and seminars", "ស្ត្រីក្នុងវេទិកា និងសិក្ខាសាលាសាធារណៈ"),
        definition=words(
            "Female attendances at public forums and public seminars: who came twice is counted twice.",
            "ការចូលរួមរបស់ស្ត្រីក្នុងវេទិកាសាធារណៈ និងសិក្ខាសាលាសាធារណៈ៖ អ្នកមកពីរដងរាប់ពីរដង។",
        ),
        unit=Unit.ATTENDANCES,
        source=Source.ATTENDANCE,
        count=Count.SUM,
        where=only(kind=("public_forum", "public_seminar"), sex="female"),
        by=WHICH_WOMEN,
    ),
    Indicator(
        code="public_service_feedback_women",
        name=words("Women who spoke of public services", "ស្ត្រីដែលបានផ្តល់មតិលើសេវាសាធារណៈ"),
        definition=words(
            "Sum of the women who gave feedback on public services in the period; anonymous, so that who spoke twice is"
            " counted twice.",
            "ផលបូកនៃស្ត្រីដែលបានផ្តល់មតិលើសេវាសាធារណៈក្នុងរយៈពេលនេះ។ មតិមិនបញ្ចេញឈ្មោះ ដូច្នេះអ្នកនិយាយពីរដងរាប់ពីរដង។",
        ),
        unit=Unit.ATTENDANCES,
        source=Source.FEEDBACK,
        count=Count.SUM,
        where=only(sex="female"),
        by=("age_band", "commune"),
    ),
)
