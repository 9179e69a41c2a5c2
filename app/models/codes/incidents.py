"""Codes: what happened, and the danger that she is in."""

from enum import StrEnum


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


class GbvQuestion(StrEnum):
    """The six yes or no questions, in the order of the GBV classification."""

    PENETRATION = "penetration"
    SEXUAL_CONTACT = "sexual_contact"
    PHYSICAL = "physical"
    FORCED_MARRIAGE = "forced_marriage"
    DENIAL = "denial"
    PSYCHOLOGICAL = "psychological"


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
