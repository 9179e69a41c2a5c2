"""The closed code lists of the API; a code never changes with language, its labels stand in labels.json."""

from enum import StrEnum


class Role(StrEnum):
    """What a user is, and so what she may do at all."""

    CASEWORKER = "caseworker"
    SUPERVISOR = "supervisor"
    CCWC_LIAISON = "ccwc_liaison"
    PARTNER = "partner"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Category(StrEnum):
    """What a case is about."""

    HEALTH_REFERRAL = "health_referral"
    DOMESTIC_VIOLENCE = "domestic_violence"
    MARITAL_ISSUE = "marital_issue"
    SOCIAL_ASSISTANCE = "social_assistance"
    FINANCIAL_ASSISTANCE = "financial_assistance"
    VITAL_DOCUMENTS = "vital_documents"
    ID_POOR = "id_poor"
    LAND_DISPUTE = "land_dispute"
    DISASTER_RELIEF = "disaster_relief"


class Sensitivity(StrEnum):
    """Who may see a case; it is raised and never lowered."""

    STANDARD = "standard"
    SENSITIVE = "sensitive"


class CaseStatus(StrEnum):
    """Where a case stands in its lifecycle."""

    INTAKE = "intake"
    ASSESSMENT = "assessment"
    PLANNING = "planning"
    IMPLEMENTATION = "implementation"
    FOLLOW_UP = "follow_up"
    CLOSURE_REQUESTED = "closure_requested"
    CLOSED = "closed"


class Priority(StrEnum):
    """How soon something must be done (FHIR request-priority)."""

    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"
    STAT = "stat"


class RiskLevel(StrEnum):
    """The danger that the client is in."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NOT_ASSESSED = "not_assessed"


class AssignmentRole(StrEnum):
    """What a person is on one case."""

    LEAD = "lead"
    CASEWORKER = "caseworker"
    LIAISON = "liaison"
    REVIEWER = "reviewer"
    COVER = "cover"


class AccessVia(StrEnum):
    """By what a person sees a case."""

    LEAD = "lead"
    ASSIGNED = "assigned"
    COVER = "cover"
    LIAISON = "liaison"
    REVIEWER = "reviewer"
    ORGANISATION = "organisation"
    BREAK_GLASS = "break_glass"


class OrganisationKind(StrEnum):
    """What an organisation is."""

    NGO = "ngo"
    COMMUNE_COUNCIL = "commune_council"
    HEALTH = "health"
    SOCIAL_SERVICES = "social_services"
    LEGAL_AID = "legal_aid"
    POLICE = "police"
    COURT = "court"
    SHELTER = "shelter"
    EDUCATION = "education"
    GOVERNMENT = "government"
    OTHER = "other"


class ReferredFrom(StrEnum):
    """Who sent the client."""

    SELF = "self"
    FAMILY_OR_NEIGHBOUR = "family_or_neighbour"
    SMART_WOMAN = "smart_woman"
    VILLAGE_HEALTH_SUPPORT_GROUP = "village_health_support_group"
    CCWC = "ccwc"
    VILLAGE_CHIEF = "village_chief"
    HEALTH_SERVICE = "health_service"
    POLICE = "police"
    LEGAL_AID = "legal_aid"
    SCHOOL = "school"
    NGO = "ngo"
    HOME_VISIT = "home_visit"
    PUBLIC_FORUM = "public_forum"
    HOTLINE = "hotline"
    OTHER = "other"


class ConsentPurpose(StrEnum):
    """What the client agreed to."""

    SERVICES = "services"
    REFERRAL = "referral"
    CCWC_SUPPORT = "ccwc_support"
    STATISTICS = "statistics"


class ConsentGivenBy(StrEnum):
    """Who agreed."""

    CLIENT = "client"
    CAREGIVER = "caregiver"
    CLIENT_AND_CAREGIVER = "client_and_caregiver"


class ConsentForm(StrEnum):
    """How the agreement was given."""

    WRITTEN = "written"
    VERBAL = "verbal"
    THUMBPRINT = "thumbprint"


class Sector(StrEnum):
    """The field of a service, shown where its type may not be."""

    HEALTH = "health"
    PSYCHOSOCIAL = "psychosocial"
    SAFETY = "safety"
    LEGAL = "legal"
    POLICE = "police"
    SHELTER = "shelter"
    LIVELIHOODS = "livelihoods"
    SOCIAL_PROTECTION = "social_protection"
    EDUCATION = "education"
    REGISTRATION = "registration"
    RELIEF = "relief"
    OTHER = "other"


class ServiceType(StrEnum):
    """What a service does."""

    FAMILY_PLANNING = "family_planning"
    SAFE_ABORTION = "safe_abortion"
    ANTENATAL_CARE = "antenatal_care"
    CLINICAL_MANAGEMENT_OF_RAPE = "clinical_management_of_rape"
    GENERAL_HEALTH = "general_health"
    MENTAL_HEALTH = "mental_health"
    PSYCHOSOCIAL_SUPPORT = "psychosocial_support"
    LEGAL_AID = "legal_aid"
    POLICE_PROTECTION = "police_protection"
    SHELTER = "shelter"
    CASH_ASSISTANCE = "cash_assistance"
    FOOD_ASSISTANCE = "food_assistance"
    LIVELIHOODS = "livelihoods"
    ID_POOR_ENROLMENT = "id_poor_enrolment"
    BIRTH_CERTIFICATE = "birth_certificate"
    MARRIAGE_CERTIFICATE = "marriage_certificate"
    LAND_CERTIFICATE = "land_certificate"
    EDUCATION = "education"
    RELIEF_ITEMS = "relief_items"
    OTHER = "other"


class GbvType(StrEnum):
    """Type of incident, derived from six answers."""

    RAPE = "rape"
    SEXUAL_ASSAULT = "sexual_assault"
    PHYSICAL_ASSAULT = "physical_assault"
    FORCED_MARRIAGE = "forced_marriage"
    DENIAL_OF_RESOURCES = "denial_of_resources"
    PSYCHOLOGICAL_ABUSE = "psychological_abuse"
    NON_GBV = "non_gbv"


class GbvContext(StrEnum):
    """Context of an incident, derived."""

    INTIMATE_PARTNER_VIOLENCE = "intimate_partner_violence"
    CHILD_SEXUAL_ABUSE = "child_sexual_abuse"
    EARLY_MARRIAGE = "early_marriage"
    SEXUAL_EXPLOITATION = "sexual_exploitation"
    HARMFUL_PRACTICE = "harmful_practice"


class PerpetratorRelationship(StrEnum):
    """What the perpetrator is to the client."""

    INTIMATE_PARTNER = "intimate_partner"
    FORMER_PARTNER = "former_partner"
    PARENT = "parent"
    CHILD = "child"
    SIBLING = "sibling"
    IN_LAW = "in_law"
    OTHER_FAMILY = "other_family"
    EMPLOYER = "employer"
    TEACHER = "teacher"
    SERVICE_PROVIDER = "service_provider"
    NEIGHBOUR = "neighbour"
    COMMUNITY_LEADER = "community_leader"
    OFFICIAL = "official"
    STRANGER = "stranger"
    UNKNOWN = "unknown"
    OTHER = "other"


class IncidentPlace(StrEnum):
    """Kind of place of an incident."""

    HOME = "home"
    PERPETRATOR_HOME = "perpetrator_home"
    FIELD_OR_FOREST = "field_or_forest"
    ROAD = "road"
    SCHOOL = "school"
    MARKET = "market"
    WORKPLACE = "workplace"
    GUEST_HOUSE = "guest_house"
    ONLINE = "online"
    OTHER = "other"
    UNKNOWN = "unknown"


class DatePrecision(StrEnum):
    """How exactly a time is known."""

    EXACT = "exact"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    UNKNOWN = "unknown"


class DangerItem(StrEnum):
    """The five questions of the danger assessment DA-5."""

    MORE_FREQUENT = "more_frequent"
    WEAPON = "weapon"
    CAPABLE_OF_KILLING = "capable_of_killing"
    CHOKED = "choked"
    JEALOUS = "jealous"


class RiskFactor(StrEnum):
    """What raises the level of a danger assessment by one; not in the agreed lists."""

    PREGNANCY = "pregnancy"
    THREAT_TO_CHILDREN = "threat_to_children"
    SUICIDE_RISK = "suicide_risk"
    RECENT_SEPARATION = "recent_separation"


class AssessmentTool(StrEnum):
    """What an assessment was made with."""

    DA5 = "da5"
    DANGER_ASSESSMENT = "danger_assessment"
    MOSAIC = "mosaic"
    NEEDS = "needs"


class ActionNeed(StrEnum):
    """The need that a step of the care plan answers."""

    SAFETY = "safety"
    HEALTH = "health"
    PSYCHOSOCIAL = "psychosocial"
    JUSTICE = "justice"
    LIVELIHOOD = "livelihood"
    DOCUMENTS = "documents"
    SHELTER = "shelter"
    EDUCATION = "education"
    OTHER = "other"


class ActionPrompt(StrEnum):
    """What the server asks for because of what was recorded; not in the agreed lists."""

    URGENT_HEALTH = "urgent_health"
    FIRST_STEP = "first_step"
    NEW_ASSESSMENT = "new_assessment"


class ContactChannel(StrEnum):
    """How a client is contacted."""

    VISIT = "visit"
    PHONE = "phone"
    SMS = "sms"
    MESSENGER = "messenger"
    THROUGH_TRUSTED_PERSON = "through_trusted_person"
    OFFICE = "office"


class FollowUpOutcome(StrEnum):
    """What came of a follow-up."""

    MET_SAFE = "met_safe"
    MET_CONCERN = "met_concern"
    MET_NEW_INCIDENT = "met_new_incident"
    NOT_FOUND = "not_found"
    DECLINED = "declined"
    MOVED_AWAY = "moved_away"
    UNSAFE_TO_CONTACT = "unsafe_to_contact"
    RESCHEDULED = "rescheduled"


class NoteAudience(StrEnum):
    """Who reads a note."""

    CASEWORKERS = "caseworkers"
    TEAM = "team"


class ExclusionReason(StrEnum):
    """Why somebody must never see a case."""

    PERPETRATOR = "perpetrator"
    RELATIVE_OF_PERPETRATOR = "relative_of_perpetrator"
    FRIEND_OF_PERPETRATOR = "friend_of_perpetrator"
    RELATIVE_OF_CLIENT = "relative_of_client"
    CLIENT_WISH = "client_wish"
    OTHER_CONFLICT = "other_conflict"


class ScreeningKind(StrEnum):
    """What of a user met a perpetrator: the own name or phone, or the name of a relative."""

    NAME = "name"
    PHONE = "phone"
    RELATION = "relation"


class ScreeningStatus(StrEnum):
    """A match keeps the user away while it is open and once it is confirmed."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class ScreeningAnswer(StrEnum):
    """What the lead found out about a match."""

    SAME_PERSON = "same_person"
    SOMEBODY_ELSE = "somebody_else"


class ErasureReason(StrEnum):
    """Why a case is taken away for good."""

    CLIENT_WISH = "client_wish"
    RECORDED_BY_MISTAKE = "recorded_by_mistake"
    LEGAL_DUTY = "legal_duty"
    OTHER = "other"


class LegalHoldBasis(StrEnum):
    """Why a case must not be erased."""

    DECIDED = "decided"
    CLIENT_DIED = "client_died"


class UserRequestKind(StrEnum):
    """What an admin asks about an account, and somebody else confirms."""

    CREATE = "create"
    CHANGE = "change"
    PASSWORD_RESET = "password_reset"  # noqa: S105 (a code)
    MFA_RESET = "mfa_reset"
    CLIENT = "client"  # a system of a partner: confirmed under its organisation, not as a user


class BreakGlassReason(StrEnum):
    """Why a case was opened in an emergency."""

    DANGER_TO_LIFE = "danger_to_life"
    LEAD_UNREACHABLE = "lead_unreachable"
    COURT_OR_POLICE_EMERGENCY = "court_or_police_emergency"
    OTHER = "other"


class CaseloadLevel(StrEnum):
    """How much one person carries. Over the limit: by a supervisor's decision, or by cases that they opened."""

    NORMAL = "normal"
    HIGH = "high"
    FULL = "full"
    OVER = "over"


class WhereaboutsKind(StrEnum):
    """What kind of place a client is hidden in, or has moved to."""

    SHELTER = "shelter"
    RELATIVE = "relative"
    FRIEND = "friend"
    OTHER = "other"


class WhereaboutsReason(StrEnum):
    """Why somebody looks where a client is; there is no "other", which would say nothing."""

    CONTACT = "contact"
    DANGER = "danger"
    ACCOMPANIMENT = "accompaniment"
    COURT_OR_POLICE = "court_or_police"
    HANDOVER = "handover"
    CORRECTION = "correction"


class BreakGlassFinding(StrEnum):
    """What the review of an emergency access found."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"
    NEEDS_FOLLOW_UP = "needs_follow_up"


class ClosureReason(StrEnum):
    """Why a case is closed."""

    NEEDS_MET = "needs_met"
    CLIENT_REQUEST = "client_request"
    NO_CONTACT = "no_contact"
    MOVED_AWAY = "moved_away"
    TRANSFERRED = "transferred"
    DIED = "died"
    NOT_ELIGIBLE = "not_eligible"
    DECLINED = "declined"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Outcome(StrEnum):
    """How the client stands at closure."""

    RESOLVED = "resolved"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    WORSE = "worse"
    UNKNOWN = "unknown"


class AssistanceKind(StrEnum):
    """Help in kind, or money."""

    SOCIAL = "social"
    FINANCIAL = "financial"


class AssistanceStatus(StrEnum):
    """Where a request for assistance stands."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    PART_PAID = "part_paid"
    PAID = "paid"
    CANCELLED = "cancelled"


class PaymentMethod(StrEnum):
    """How money or goods were handed over."""

    CASH = "cash"
    MOBILE_WALLET = "mobile_wallet"
    BANK = "bank"
    VOUCHER = "voucher"
    IN_KIND = "in_kind"


class Currency(StrEnum):
    """ISO 4217; amounts are integers in minor units (riel, US cents)."""

    KHR = "KHR"
    USD = "USD"


class ReferralStatus(StrEnum):
    """Where a referral stands (FHIR Task.status)."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"


class ReferralBusinessStatus(StrEnum):
    """Where the appointment of a referral stands."""

    SCHEDULED = "scheduled"
    NO_SHOW = "no_show"
    APPOINTMENT_CANCELLED = "appointment_cancelled"
    VISITED = "visited"


class ReferralOutcome(StrEnum):
    """How a referral ended for the client."""

    ATTENDED = "attended"
    REFUSED_SERVICE = "refused_service"
    NOT_FOUND = "not_found"
    TURNED_AWAY = "turned_away"
    REFERRED_ON = "referred_on"
    OTHER = "other"


class ReferralReason(StrEnum):
    """Why a referral was rejected or failed."""

    NOT_ELIGIBLE = "not_eligible"
    NO_CAPACITY = "no_capacity"
    WRONG_SERVICE = "wrong_service"
    CLIENT_DECLINED = "client_declined"
    UNREACHABLE = "unreachable"
    UNSAFE = "unsafe"
    DUPLICATE = "duplicate"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    OTHER = "other"


class SharedField(StrEnum):
    """What of a person a consent lets a recipient see."""

    NAME = "name"
    SEX = "sex"
    AGE = "age"
    PHONE = "phone"
    SAFE_CONTACT = "safe_contact"
    VILLAGE = "village"
    COMMUNE = "commune"
    LANGUAGE = "language"
    DISABILITY = "disability"
    NEED_SUMMARY = "need_summary"
    RISK_LEVEL = "risk_level"


class Sex(StrEnum):
    """Sex, as the person says."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class MaritalStatus(StrEnum):
    """Marital status."""

    SINGLE = "single"
    MARRIED_REGISTERED = "married_registered"
    MARRIED_CUSTOMARY = "married_customary"
    COHABITING = "cohabiting"
    SEPARATED = "separated"
    DIVORCED = "divorced"
    WIDOWED = "widowed"
    UNKNOWN = "unknown"


class Difficulty(StrEnum):
    """Answer to a question of the Washington Group's short set."""

    NONE = "none"
    SOME = "some"
    A_LOT = "a_lot"
    CANNOT_DO = "cannot_do"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class IdPoorLevel(StrEnum):
    """A household's ID Poor level."""

    NONE = "none"
    ID_POOR_1 = "id_poor_1"
    ID_POOR_2 = "id_poor_2"
    AT_RISK = "at_risk"
    APPLIED = "applied"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


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


class ExportAttribute(StrEnum):
    """The one attribute of a narrow export table."""

    CATEGORY = "category"
    REFERRAL_TYPE = "referral_type"
    CLOSURE_OUTCOME = "closure_outcome"
    DISABILITY = "disability"
    ID_POOR = "id_poor"
    ASSISTANCE_KIND = "assistance_kind"
    ASSISTANCE_AMOUNT_BAND = "assistance_amount_band"
    FIRST_FOLLOW_UP_BAND = "first_follow_up_band"
    STATUS = "status"


class PhoneOwner(StrEnum):
    """Whose phone it is."""

    SELF = "self"
    SPOUSE = "spouse"
    PARENT = "parent"
    CHILD = "child"
    RELATIVE = "relative"
    NEIGHBOUR = "neighbour"
    OTHER = "other"
    UNKNOWN = "unknown"


class Language(StrEnum):
    """Language that a person speaks or reads."""

    KM = "km"
    EN = "en"
    OTHER = "other"


class AgeBand(StrEnum):
    """Age in completed years, in disjoint bands."""

    FROM_0_TO_4 = "00-04"
    FROM_5_TO_11 = "05-11"
    FROM_12_TO_17 = "12-17"
    FROM_18_TO_29 = "18-29"
    FROM_30_TO_44 = "30-44"
    FROM_45_TO_59 = "45-59"
    FROM_60 = "60+"
    UNKNOWN = "unknown"


class CommitmentIssue(StrEnum):
    """What a promise is about."""

    DOMESTIC_VIOLENCE = "domestic_violence"
    LAND_DISPUTE = "land_dispute"
    MARITAL_ISSUE = "marital_issue"
    PUBLIC_SERVICE = "public_service"
    DOCUMENTS = "documents"
    CLIMATE = "climate"
    OTHER = "other"


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


class Decision(StrEnum):
    """Answer to a request."""

    APPROVE = "approve"
    DECLINE = "decline"


class ExportState(StrEnum):
    """Where an export stands."""

    REQUESTED = "requested"
    FREEZING = "freezing"
    FROZEN = "frozen"
    RELEASED = "released"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class TransferStatus(StrEnum):
    """Where a transfer to another organisation stands."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class DisclosureBasis(StrEnum):
    """Why something was told outside."""

    VITAL_INTEREST = "vital_interest"
    MANDATORY_REPORT = "mandatory_report"
    COURT_ORDER = "court_order"
    CLIENT_REQUEST = "client_request"


class GbvQuestion(StrEnum):
    """The six yes or no questions, in the order of the GBV classification."""

    PENETRATION = "penetration"
    SEXUAL_CONTACT = "sexual_contact"
    PHYSICAL = "physical"
    FORCED_MARRIAGE = "forced_marriage"
    DENIAL = "denial"
    PSYCHOLOGICAL = "psychological"


class AreaLevel(StrEnum):
    """Level of an administrative area in the NCDD gazetteer; not in the agreed lists."""

    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"
    VILLAGE = "village"


class PersonRole(StrEnum):
    """What a person is in a case; not in the agreed lists."""

    CLIENT = "client"
    CHILD = "child"
    CAREGIVER = "caregiver"
    OTHER = "other"


class CaregiverDoubt(StrEnum):
    """Why a caregiver neither agrees for a child nor is a way to her."""

    SUSPECTED = "suspected"
    UNSAFE = "unsafe"


class CaregiverBypass(StrEnum):
    """Why a minor is cared for without a caregiver's consent."""

    CAREGIVER_SUSPECTED = "caregiver_suspected"
    UNSAFE = "unsafe"
    ABSENT = "absent"
    MATURE_MINOR = "mature_minor"


# Where the type of a service may not be shown, its sector is.
SERVICE_TYPE_SECTOR: dict[ServiceType, Sector] = {
    ServiceType.FAMILY_PLANNING: Sector.HEALTH,
    ServiceType.SAFE_ABORTION: Sector.HEALTH,
    ServiceType.ANTENATAL_CARE: Sector.HEALTH,
    ServiceType.CLINICAL_MANAGEMENT_OF_RAPE: Sector.HEALTH,
    ServiceType.GENERAL_HEALTH: Sector.HEALTH,
    ServiceType.MENTAL_HEALTH: Sector.PSYCHOSOCIAL,
    ServiceType.PSYCHOSOCIAL_SUPPORT: Sector.PSYCHOSOCIAL,
    ServiceType.LEGAL_AID: Sector.LEGAL,
    ServiceType.POLICE_PROTECTION: Sector.POLICE,
    ServiceType.SHELTER: Sector.SHELTER,
    ServiceType.CASH_ASSISTANCE: Sector.SOCIAL_PROTECTION,
    ServiceType.FOOD_ASSISTANCE: Sector.RELIEF,
    ServiceType.LIVELIHOODS: Sector.LIVELIHOODS,
    ServiceType.ID_POOR_ENROLMENT: Sector.SOCIAL_PROTECTION,
    ServiceType.BIRTH_CERTIFICATE: Sector.REGISTRATION,
    ServiceType.MARRIAGE_CERTIFICATE: Sector.REGISTRATION,
    ServiceType.LAND_CERTIFICATE: Sector.REGISTRATION,
    ServiceType.EDUCATION: Sector.EDUCATION,
    ServiceType.RELIEF_ITEMS: Sector.RELIEF,
    ServiceType.OTHER: Sector.OTHER,
}


class MatchReason(StrEnum):
    """Why two records may be of the same person; not in the agreed lists."""

    SAME_PHONE = "same_phone"
    SAME_NAME = "same_name"
    NEAR_NAME = "near_name"
    BIRTH_YEAR = "birth_year"
    VILLAGE = "village"


class WorklistKind(StrEnum):
    """Why something is on the worklist, most urgent first: this order is the ranking. Labels are neutral on purpose."""

    CARE_WINDOW = "care_window"
    NEW_INCIDENT = "new_incident"
    OVERDUE_HIGH_RISK = "overdue_high_risk"
    ESCALATED = "escalated"
    NEEDS_REVIEW = "needs_review"
    CONFIRMATION = "confirmation"
    FOLLOW_UP = "follow_up"
    ACTION = "action"
    PLAN_REVIEW = "plan_review"
    NO_DATE = "no_date"
    TRANSFER = "transfer"
    REFERRAL_OVERDUE = "referral_overdue"
    REFERRAL = "referral"
    APPROVAL = "approval"
    CLOSURE_REVIEW = "closure_review"
    BREAK_GLASS_REVIEW = "break_glass_review"
    SCREENING_MATCH = "screening_match"
    LEADERLESS = "leaderless"
    COVER_ENDS = "cover_ends"
    COVER = "cover"
    CONSENT_ENDS = "consent_ends"
    SAFE_CONTACT_UNCONFIRMED = "safe_contact_unconfirmed"


# By the list's name in the answer of `GET /codes`.
class ImportKind(StrEnum):
    """What each row of a register becomes."""

    CASES = "cases"
    PEOPLE = "people"
    HOUSEHOLDS = "households"
    ACTIVITIES = "activities"
    HOME_VISITS = "home_visits"
    BUSINESSES = "businesses"
    FEEDBACK = "feedback"
    DISTRIBUTIONS = "distributions"


class ImportState(StrEnum):
    """Where an import stands."""

    QUEUED = "queued"
    CHECKING = "checking"
    CHECKED = "checked"
    COMMITTING = "committing"
    COMMITTED = "committed"
    FAILED = "failed"
    EXPIRED = "expired"


class ImportRowStatus(StrEnum):
    """What the check says of a row."""

    OK = "ok"
    ERROR = "error"
    DUPLICATE_SUGGESTED = "duplicate_suggested"
    UNCHANGED = "unchanged"


class ServiceStatus(StrEnum):
    """Whether a service of the directory can be used; the words of HSDS."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DEFUNCT = "defunct"
    TEMPORARILY_CLOSED = "temporarily_closed"


class ServiceCapacity(StrEnum):
    """Whether a service takes more people."""

    OPEN = "open"
    FULL = "full"
    UNKNOWN = "unknown"


class ServiceWarningCode(StrEnum):
    """What to think of before sending a client to a service, or taking in whom a partner sends; never a refusal."""

    AGE_NOT_SERVED = "age_not_served"
    SEX_NOT_SERVED = "sex_not_served"
    FULL = "full"
    NOT_ASSURED = "not_assured"
    NOBODY_ANSWERS = "nobody_answers"
    SECTOR_NOT_OFFERED = "sector_not_offered"
    CONSENT_INCOMPLETE = "consent_incomplete"


class Weekday(StrEnum):
    """Days on which a service is open, as iCalendar writes them."""

    MONDAY = "MO"
    TUESDAY = "TU"
    WEDNESDAY = "WE"
    THURSDAY = "TH"
    FRIDAY = "FR"
    SATURDAY = "SA"
    SUNDAY = "SU"


CODE_LISTS: dict[str, type[StrEnum]] = {
    "role": Role,
    "category": Category,
    "sensitivity": Sensitivity,
    "status": CaseStatus,
    "priority": Priority,
    "risk_level": RiskLevel,
    "assignment_role": AssignmentRole,
    "access_via": AccessVia,
    "organisation_kind": OrganisationKind,
    "referred_from": ReferredFrom,
    "consent_purpose": ConsentPurpose,
    "consent_given_by": ConsentGivenBy,
    "consent_form": ConsentForm,
    "sector": Sector,
    "service_type": ServiceType,
    "gbv_type": GbvType,
    "gbv_context": GbvContext,
    "perpetrator_relationship": PerpetratorRelationship,
    "incident_place": IncidentPlace,
    "date_precision": DatePrecision,
    "danger_item": DangerItem,
    "assessment_tool": AssessmentTool,
    "action_need": ActionNeed,
    "contact_channel": ContactChannel,
    "follow_up_outcome": FollowUpOutcome,
    "note_audience": NoteAudience,
    "exclusion_reason": ExclusionReason,
    "break_glass_reason": BreakGlassReason,
    "break_glass_finding": BreakGlassFinding,
    "closure_reason": ClosureReason,
    "outcome": Outcome,
    "assistance_kind": AssistanceKind,
    "assistance_status": AssistanceStatus,
    "payment_method": PaymentMethod,
    "currency": Currency,
    "referral_status": ReferralStatus,
    "referral_business_status": ReferralBusinessStatus,
    "referral_outcome": ReferralOutcome,
    "referral_reason": ReferralReason,
    "shared_field": SharedField,
    "sex": Sex,
    "marital_status": MaritalStatus,
    "difficulty": Difficulty,
    "id_poor_level": IdPoorLevel,
    "activity_kind": ActivityKind,
    "participant_group": ParticipantGroup,
    "topic": Topic,
    "commitment_status": CommitmentStatus,
    "commitment_by": CommitmentBy,
    "public_service": PublicService,
    "sentiment": Sentiment,
    "business_kind": BusinessKind,
    "home_visit_outcome": HomeVisitOutcome,
    "export_attribute": ExportAttribute,
    "phone_owner": PhoneOwner,
    "language": Language,
    "age_band": AgeBand,
    "commitment_issue": CommitmentIssue,
    "campaign_channel": CampaignChannel,
    "decision": Decision,
    "export_state": ExportState,
    "transfer_status": TransferStatus,
    "disclosure_basis": DisclosureBasis,
    "gbv_question": GbvQuestion,
    "area_level": AreaLevel,
    "person_role": PersonRole,
    "user_request_kind": UserRequestKind,
    "match_reason": MatchReason,
    "screening_kind": ScreeningKind,
    "screening_status": ScreeningStatus,
    "screening_answer": ScreeningAnswer,
    "whereabouts_kind": WhereaboutsKind,
    "whereabouts_reason": WhereaboutsReason,
    "erasure_reason": ErasureReason,
    "legal_hold_basis": LegalHoldBasis,
    "risk_factor": RiskFactor,
    "action_prompt": ActionPrompt,
    "caregiver_doubt": CaregiverDoubt,
    "caregiver_bypass": CaregiverBypass,
    "worklist_kind": WorklistKind,
    "import_kind": ImportKind,
    "import_state": ImportState,
    "import_row_status": ImportRowStatus,
    "caseload_level": CaseloadLevel,
    "service_status": ServiceStatus,
    "service_capacity": ServiceCapacity,
    "service_warning": ServiceWarningCode,
    "weekday": Weekday,
    "distribution_cause": DistributionCause,
}
