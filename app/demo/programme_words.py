"""What the programme of the demo speaks of: topics and facilitators by kind of activity, promises, feedback, relief."""

from app.demo.names import Bilingual
from app.models.codes.people import OrganisationKind
from app.models.codes.programme import ActivityKind, CommitmentIssue, PublicService, Topic

TOPICS: dict[ActivityKind, tuple[Topic, ...]] = {
    ActivityKind.HEALTH_TRAINING: (
        Topic.FAMILY_PLANNING,
        Topic.REPRODUCTIVE_HEALTH,
        Topic.PERSONAL_HYGIENE,
        Topic.NUTRITION,
        Topic.MENTAL_HEALTH,
    ),
    ActivityKind.SELF_EMPOWERMENT_WORKSHOP: (Topic.COMMUNICATION, Topic.DECISION_MAKING, Topic.CONFIDENCE),
    ActivityKind.BUSINESS_TRAINING: (
        Topic.STARTING_A_BUSINESS,
        Topic.FOOD_PRODUCTION,
        Topic.VEGETABLE_FARMING,
        Topic.BARBERING,
        Topic.MOTORBIKE_MAINTENANCE,
    ),
    ActivityKind.ASSISTANCE_MEETING: (Topic.ID_POOR, Topic.HEALTH_SERVICES, Topic.FINANCIAL_HARDSHIP),
    ActivityKind.PUBLIC_FORUM: (Topic.FAMILY_PLANNING, Topic.DECISION_MAKING, Topic.COMMUNITY_PLANNING),
    ActivityKind.PUBLIC_SEMINAR: (Topic.WOMENS_LEADERSHIP, Topic.COMMUNITY_PLANNING),
    ActivityKind.ROUNDTABLE: (Topic.ECONOMIC_INSTABILITY, Topic.CLIMATE, Topic.GENDER_BASED_VIOLENCE),
    ActivityKind.LEADER_MEETING: (Topic.DOMESTIC_VIOLENCE, Topic.LAND_DISPUTE, Topic.MARITAL_ISSUE),
    ActivityKind.MEDIA_CAMPAIGN: (Topic.PUBLIC_SERVICES, Topic.WOMENS_LEADERSHIP),
}
_NGO, _COUNCIL, _HEALTH = OrganisationKind.NGO, OrganisationKind.COMMUNE_COUNCIL, OrganisationKind.HEALTH
FACILITATORS: dict[ActivityKind, list[OrganisationKind]] = {
    ActivityKind.HEALTH_TRAINING: [_NGO, _HEALTH],
    ActivityKind.SELF_EMPOWERMENT_WORKSHOP: [_NGO],
    ActivityKind.BUSINESS_TRAINING: [_NGO],
    ActivityKind.ASSISTANCE_MEETING: [_NGO, _COUNCIL],
    ActivityKind.PUBLIC_FORUM: [_NGO, _COUNCIL],
    ActivityKind.PUBLIC_SEMINAR: [_NGO, _COUNCIL],
    ActivityKind.ROUNDTABLE: [_NGO, _COUNCIL, OrganisationKind.POLICE],
    ActivityKind.LEADER_MEETING: [_NGO, _COUNCIL],
    ActivityKind.MEDIA_CAMPAIGN: [_NGO],
}
COUNTED_HOW = "Villages passed, times the people at home at that hour of the day."

PROMISES: dict[CommitmentIssue, Bilingual] = {
    CommitmentIssue.DOMESTIC_VIOLENCE: Bilingual(
        "គ.ក.ន.ក នឹងជួបគ្រួសារដែលមានហិង្សារៀងរាល់ខែ។", "The committee visits families with violence every month."
    ),
    CommitmentIssue.LAND_DISPUTE: Bilingual(
        "មេភូមិនឹងវាស់ព្រំដីឡើងវិញជាមួយភាគីទាំងពីរ។", "The village chief measures the border anew with both sides."
    ),
    CommitmentIssue.MARITAL_ISSUE: Bilingual(
        "មេឃុំនឹងស្តាប់ស្ត្រីដោយឡែកពីគ្នា។", "The commune chief hears women apart from their husbands."
    ),
    CommitmentIssue.PUBLIC_SERVICE: Bilingual(
        "មណ្ឌលសុខភាពនឹងបិទតារាងតម្លៃនៅមាត់ទ្វារ។", "The health centre puts its prices up at the door."
    ),
    CommitmentIssue.DOCUMENTS: Bilingual(
        "ឃុំនឹងចេញសំបុត្រកំណើតដោយមិនយកថ្លៃ។", "The commune issues birth certificates without a fee."
    ),
    CommitmentIssue.CLIMATE: Bilingual("ភូមិនឹងសម្អាតប្រឡាយទឹកមុនរដូវវស្សា។", "The village clears the canals before the rains."),
}
KEPT = Bilingual("បានឃើញដោយផ្ទាល់នៅពេលចុះភូមិ។", "Seen at a visit to the village.")
NOT_KEPT = Bilingual("ដល់ថ្ងៃកំណត់ហើយ នៅមិនទាន់មានអ្វីកើតឡើង។", "The day has passed and nothing has happened.")

SAID: dict[PublicService, Bilingual] = {
    PublicService.HEALTH_CENTRE: Bilingual("ត្រូវរង់ចាំយូរ ប៉ុន្តែឆ្មបនិយាយរាក់ទាក់។", "A long wait, but the midwife was kind."),
    PublicService.ID_POOR: Bilingual("មិនដឹងថាពេលណាគេមកសម្ភាសម្តងទៀត។", "Nobody knows when the next interview is."),
    PublicService.CIVIL_REGISTRY: Bilingual("សំបុត្រកំណើតយកបានក្នុងមួយថ្ងៃ។", "The birth certificate took one day."),
    PublicService.LAND_OFFICE: Bilingual("ត្រូវទៅបីដងទើបបានប័ណ្ណ។", "It took three journeys to get the title."),
    PublicService.SCHOOL: Bilingual("គ្រូមិនសូវមានវត្តមាននៅថ្ងៃសុក្រ។", "Teachers are seldom there on Fridays."),
}
ANSWERED = Bilingual("បានប្រាប់នៅក្នុងប្រជុំឃុំ។", "Told at the meeting of the commune.")

# What was given out, and how many units of it.
RELIEF: dict[str, tuple[int, int]] = {
    "Rice, 25 kg": (1, 2),
    "Food parcel": (1, 1),
    "Water filter": (1, 1),
    "Tarpaulin": (1, 2),
}
