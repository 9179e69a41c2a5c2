"""Who stands before which case, once for every relation of access.md."""

from dataclasses import dataclass

from app.models.codes.people import Role
from tests.cast import COMMUNE, OTHER_COMMUNE

CASEWORKER, SUPERVISOR, LIAISON, PARTNER = Role.CASEWORKER, Role.SUPERVISOR, Role.CCWC_LIAISON, Role.PARTNER


@dataclass(frozen=True, slots=True)
class Standpoint:
    """One person before one case; `column` of the tables says what they may do there."""

    name: str
    role: Role
    column: str
    case: str
    organisation: str | None = "ngo"
    commune: str | None = None


def _hidden(role: Role, *places: tuple[str, str, str], commune: str | None = None) -> list[Standpoint]:
    column = {CASEWORKER: "c.hidden", SUPERVISOR: "s.hidden", LIAISON: "l.hidden", PARTNER: "p.hidden"}[role]
    return [Standpoint(name, role, column, case, home, commune) for name, case, home in places]


# Before anything but a referral, who stands on its other side stands there like these.
OTHER_SIDE = {**dict.fromkeys(("p.recipient", "p.inside", "p.hidden"), "other"), "s.recipient": "s.hidden"}

STANDPOINTS = (
    Standpoint("lead", CASEWORKER, "c.lead", "sensitive"),
    Standpoint("assigned", CASEWORKER, "c.assigned", "sensitive"),
    Standpoint("cover", CASEWORKER, "c.cover", "sensitive"),
    Standpoint("glass", CASEWORKER, "c.glass", "sensitive"),
    Standpoint("staff", CASEWORKER, "c.staff", "standard"),
    Standpoint("supervisor_lead", SUPERVISOR, "s.lead", "led_by_supervisor"),
    Standpoint("supervisor_assigned", SUPERVISOR, "s.assigned", "sensitive"),
    Standpoint("supervisor_cover", SUPERVISOR, "s.cover", "sensitive"),
    Standpoint("reviewer", SUPERVISOR, "s.reviewer", "sensitive"),
    Standpoint("supervisor_glass", SUPERVISOR, "s.glass", "sensitive"),
    Standpoint("supervisor", SUPERVISOR, "s.standard", "standard"),
    Standpoint("stub", SUPERVISOR, "s.stub", "sensitive"),
    Standpoint("nobody_leads", SUPERVISOR, "s.leaderless", "leaderless"),
    Standpoint("liaison", LIAISON, "l.assigned", "sensitive", "council", COMMUNE),
    Standpoint("liaison_standard", LIAISON, "l.assigned", "standard", "council", COMMUNE),
    Standpoint("opener", LIAISON, "l.opener", "leaderless", "council", COMMUNE),
    # Whoever may not see the case. Those called excluded worked on it before: the first two opened it.
    *_hidden(
        CASEWORKER,
        ("excluded_opener", "sensitive", "ngo"),
        ("excluded_opener_standard", "standard", "ngo"),
        ("unassigned", "sensitive", "ngo"),
        ("unassigned_leaderless", "leaderless", "ngo"),
        ("stranger_standard", "standard", "other_ngo"),
        ("stranger_sensitive", "sensitive", "other_ngo"),
        ("ended", "sensitive", "ngo"),
        ("expired_cover", "sensitive", "ngo"),
        ("expired_glass", "sensitive", "ngo"),
    ),
    *_hidden(
        SUPERVISOR,
        ("excluded_reviewer", "sensitive", "ngo"),
        ("excluded_supervisor", "standard", "ngo"),
        ("excluded_leaderless", "leaderless", "ngo"),
        ("other_supervisor_standard", "standard", "other_ngo"),
        ("other_supervisor_sensitive", "sensitive", "other_ngo"),
        ("other_supervisor_leaderless", "leaderless", "other_ngo"),
    ),
    *_hidden(
        LIAISON,
        ("excluded_liaison", "sensitive", "council"),
        ("excluded_liaison_standard", "standard", "council"),
        ("unassigned_liaison", "sensitive", "council"),
        ("unassigned_liaison_standard", "standard", "council"),
        ("liaison_inside", "standard", "ngo"),  # even one who belongs to the case's own organisation
        commune=COMMUNE,
    ),
    *_hidden(LIAISON, ("liaison_elsewhere", "standard", "council"), commune=OTHER_COMMUNE),
    *(
        Standpoint(f"{role.value}_{case}", role, "other", case, home)
        for role, home in ((Role.AUDITOR, None), (Role.ADMIN, None))
        for case in ("sensitive", "standard")
    ),
    # Who is asked is in `REFERRED_TO`; the own organisation's systems follow what is asked for standard cases.
    Standpoint("partner_sensitive", PARTNER, "p.recipient", "sensitive", "clinic"),
    Standpoint("partner_standard", PARTNER, "p.recipient", "standard", "clinic"),
    Standpoint("recipient_supervisor", SUPERVISOR, "s.recipient", "led_by_supervisor", "other_ngo"),
    Standpoint("partner_inside", PARTNER, "p.inside", "standard", "ngo"),
    *_hidden(
        PARTNER,
        ("partner_excluded", "sensitive", "clinic"),
        ("partner_inside_excluded", "standard", "ngo"),
        ("partner_inside_sensitive", "sensitive", "ngo"),
        ("partner_elsewhere", "standard", "council"),
    ),
    Standpoint("auditor_inside", Role.AUDITOR, "other", "standard", "ngo"),
)

REFERRED_TO = {"sensitive": "clinic", "standard": "clinic", "led_by_supervisor": "other_ngo", "leaderless": "clinic"}

# People to whom things are done; they hold no standpoint themselves.
SPARE = {
    "spare": (CASEWORKER, "ngo"),
    "spare_supervisor": (SUPERVISOR, "ngo"),
    "spare_reviewer": (SUPERVISOR, "ngo"),
    "spare_excluded": (CASEWORKER, "ngo"),
    "spare_user": (CASEWORKER, "ngo"),
    "spare_matched": (CASEWORKER, "ngo"),
    "spare_liaison": (LIAISON, "council"),
}
