"""The indicators of the programme: the published quarter's, and what its text names beside them."""

from app.indicators.definition import Count, Indicator, Source, words
from app.indicators.published import PUBLISHED, only
from app.models.report import Unit

PROGRAMME: tuple[Indicator, ...] = (
    *PUBLISHED,
    Indicator(
        code="leader_meetings",
        name=words("Meetings with leaders and roundtables", "កិច្ចប្រជុំជាមួយអ្នកដឹកនាំ និងកិច្ចពិភាក្សាតុមូល"),
        definition=words(
            "Activities of kind leader meeting or roundtable.",
            "សកម្មភាពប្រភេទកិច្ចប្រជុំជាមួយអ្នកដឹកនាំ ឬកិច្ចពិភាក្សាតុមូល។",
        ),
        unit=Unit.ACTIVITIES,
        source=Source.ACTIVITIES,
        count=Count.ROWS,
        where=only(kind=("leader_meeting", "roundtable")),
    ),
    Indicator(
        code="commitments_made",
        name=words("Commitments made", "ការសន្យាដែលបានធ្វើ"),
        definition=words(
            "Commitments of leaders made in the period, whatever became of them.",
            "ការសន្យារបស់អ្នកដឹកនាំដែលបានធ្វើក្នុងរយៈពេលនេះ មិនថាលទ្ធផលយ៉ាងណា។",
        ),
        unit=Unit.COMMITMENTS,
        source=Source.COMMITMENTS,
        count=Count.ROWS,
        where=only(kind="made"),
    ),
    Indicator(
        code="commitments_kept",
        name=words("Commitments kept", "ការសន្យាដែលបានអនុវត្ត"),
        definition=words(
            "Commitments that were kept on a day of the period, whenever they were made.",
            "ការសន្យាដែលបានអនុវត្តនៅថ្ងៃក្នុងរយៈពេលនេះ មិនថាបានធ្វើនៅពេលណា។",
        ),
        unit=Unit.COMMITMENTS,
        source=Source.COMMITMENTS,
        count=Count.ROWS,
        where=only(kind="kept"),
    ),
    Indicator(
        code="commitments_broken",
        name=words("Commitments broken", "ការសន្យាដែលមិនបានអនុវត្ត"),
        definition=words(
            "Commitments that were broken on a day of the period, whenever they were made.",
            "ការសន្យាដែលមិនបានអនុវត្តនៅថ្ងៃក្នុងរយៈពេលនេះ មិនថាបានធ្វើនៅពេលណា។",
        ),
        unit=Unit.COMMITMENTS,
        source=Source.COMMITMENTS,
        count=Count.ROWS,
        where=only(kind="broken"),
    ),
    Indicator(
        code="relief_households",
        name=words("Families that received relief", "គ្រួសារដែលបានទទួលជំនួយសង្គ្រោះ"),
        definition=words(
            "Distinct households that received relief in the period: a household that received it twice is one family.",
            "ចំនួនគ្រួសារផ្សេងៗគ្នាដែលបានទទួលជំនួយសង្គ្រោះក្នុងរយៈពេលនេះ៖ គ្រួសារដែលបានទទួលពីរដងរាប់ជាមួយ។",
        ),
        unit=Unit.HOUSEHOLDS,
        source=Source.DISTRIBUTIONS,
        count=Count.DISTINCT,
    ),
    Indicator(
        code="relief_distributions",
        name=words("Distributions of relief", "ការចែកជំនួយសង្គ្រោះ"),
        definition=words(
            "Distributions of relief to a household in the period.",
            "ការចែកជំនួយសង្គ្រោះដល់គ្រួសារក្នុងរយៈពេលនេះ។",
        ),
        unit=Unit.DISTRIBUTIONS,
        source=Source.DISTRIBUTIONS,
        count=Count.ROWS,
    ),
)
