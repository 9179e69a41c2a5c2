"""Codes: the programme around the cases."""

from enum import StrEnum


class ActivityKind(StrEnum):
    """Kind of activity of the programme."""

    HEALTH_TRAINING = "health_training"
    SELF_EMPOWERMENT_WORKSHOP = "self_empowerment_workshop"
    BUSINESS_TRAINING = "business_training"
    ASSISTANCE_MEETING = "assistance_meeting"
    PUBLIC_FORUM = "public_forum"
    PUBLIC_SEMINAR = "public_seminar"
    ROUNDTABLE = "roundtable"
    LEADER_MEETING = "leader_meeting"
    MEDIA_CAMPAIGN = "media_campaign"


class ParticipantGroup(StrEnum):
    """Group that a participant of an activity belongs to."""

    SMART_WOMAN = "smart_woman"
    VILLAGE_HEALTH_SUPPORT_GROUP = "village_health_support_group"
    COMMUNITY_PARTNER = "community_partner"
    LOCAL_LEADER = "local_leader"
    POLICE = "police"
    HEALTH_WORKER = "health_worker"
    COMMUNITY_MEMBER = "community_member"


class Topic(StrEnum):
    """What an activity or home visit was about."""

    FAMILY_PLANNING = "family_planning"
    REPRODUCTIVE_HEALTH = "reproductive_health"
    PERSONAL_HYGIENE = "personal_hygiene"
    NUTRITION = "nutrition"
    MENTAL_HEALTH = "mental_health"
    COMMUNICATION = "communication"
    DECISION_MAKING = "decision_making"
    CONFIDENCE = "confidence"
    STARTING_A_BUSINESS = "starting_a_business"
    FOOD_PRODUCTION = "food_production"
    VEGETABLE_FARMING = "vegetable_farming"
    BARBERING = "barbering"
    MOTORBIKE_MAINTENANCE = "motorbike_maintenance"
    WOMENS_LEADERSHIP = "womens_leadership"
    PUBLIC_SERVICES = "public_services"
    COMMUNITY_PLANNING = "community_planning"
    ID_POOR = "id_poor"
    BIRTH_CERTIFICATE = "birth_certificate"
    MARRIAGE_CERTIFICATE = "marriage_certificate"
    LAND_CERTIFICATE = "land_certificate"
    HEALTH_SERVICES = "health_services"
    DOMESTIC_VIOLENCE = "domestic_violence"
    LAND_DISPUTE = "land_dispute"
    MARITAL_ISSUE = "marital_issue"
    FINANCIAL_HARDSHIP = "financial_hardship"
    ECONOMIC_INSTABILITY = "economic_instability"
    CLIMATE = "climate"
    GENDER_BASED_VIOLENCE = "gender_based_violence"
    FLOOD = "flood"
    OTHER = "other"


class CommitmentStatus(StrEnum):
    """What became of a promise."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"


class CommitmentBy(StrEnum):
    """The office that promised."""

    COMMUNE_CHIEF = "commune_chief"
    VILLAGE_CHIEF = "village_chief"
    CCWC = "ccwc"
    POLICE_POST = "police_post"
    HEALTH_CENTRE = "health_centre"
    SCHOOL = "school"
    DISTRICT_OFFICE = "district_office"
    OTHER = "other"


class CommitmentIssue(StrEnum):
    """What a promise is about."""

    DOMESTIC_VIOLENCE = "domestic_violence"
    LAND_DISPUTE = "land_dispute"
    MARITAL_ISSUE = "marital_issue"
    PUBLIC_SERVICE = "public_service"
    DOCUMENTS = "documents"
    CLIMATE = "climate"
    OTHER = "other"


class PublicService(StrEnum):
    """The public service that feedback is about."""

    HEALTH_CENTRE = "health_centre"
    ID_POOR = "id_poor"
    CIVIL_REGISTRY = "civil_registry"
    LAND_OFFICE = "land_office"
    POLICE = "police"
    SCHOOL = "school"
    COMMUNE_OFFICE = "commune_office"
    WATER = "water"
    ROADS = "roads"
    OTHER = "other"


class Sentiment(StrEnum):
    """Tone of feedback."""

    POSITIVE = "positive"
    MIXED = "mixed"
    NEGATIVE = "negative"


class BusinessKind(StrEnum):
    """Kind of small business."""

    LIVESTOCK = "livestock"
    FOOD_STALL = "food_stall"
    VEGETABLE_FARMING = "vegetable_farming"
    RETAIL = "retail"
    BARBERING = "barbering"
    MOTORBIKE_REPAIR = "motorbike_repair"
    HANDICRAFT = "handicraft"
    OTHER = "other"


class HomeVisitOutcome(StrEnum):
    """What came of a home visit."""

    ADVICE_GIVEN = "advice_given"
    CASE_OPENED = "case_opened"
    REFERRED = "referred"
    FOLLOW_UP_PLANNED = "follow_up_planned"
    NO_NEED = "no_need"
    REFUSED = "refused"


class DistributionCause(StrEnum):
    """What relief was given for."""

    FLOOD = "flood"
    DROUGHT = "drought"
    STORM = "storm"
    OTHER = "other"


class CampaignChannel(StrEnum):
    """How a campaign reached people."""

    TUK_TUK = "tuk_tuk"
    RADIO = "radio"
    SOCIAL_MEDIA = "social_media"
    POSTERS = "posters"
    LOUDSPEAKER = "loudspeaker"
    OTHER = "other"
