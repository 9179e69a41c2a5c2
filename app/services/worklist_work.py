"""Sources of the worklist: what is to be done on the cases on which somebody works."""

from app.models.codes.care import WorklistKind
from app.models.referral import OPEN_STATUSES
from app.services.worklist_source import LIAISONS, STAFF, Source, source

K = WorklistKind

_PLANNED = """
      from mine m
      join follow_ups f on f.case_id = m.case_id
     where f.happened_at is null and f.ended_at is null and f.due_at < %(tomorrow)s
"""
_TO_DO = """
      from mine m
      join actions a on a.case_id = m.case_id
     where a.completed_at is null and a.ended_at is null and (a.urgent or a.due_at <= %(tomorrow)s)
"""
# What somebody else has written down, and a second person stands by or not.
BYPASS = """k.bypass_until > (select app_now()) and k.bypass_confirmed_at is null and k.withdrawn_at is null
             and k.created_by <> (select app_user_id())"""
DISCLOSURE = "d.confirmed_by is null and d.created_by <> (select app_user_id())"
_OPEN = ", ".join(f"'{status}'" for status in OPEN_STATUSES)
_ACTION = {"due_at": "a.due_at", "case_id": "m.case_id", "subject_id": "a.id"}
_FOLLOW_UP = {"due_at": "f.due_at", "case_id": "m.case_id", "subject_id": "f.id", "sealed": "f.sealed"}

OF_WORK: tuple[Source, ...] = (
    # Those of the caller; who covers has the lead's; the lead sees what others left undone.
    source(
        STAFF,
        f"case when m.risk_level = 'high' and f.due_at < (select app_now()) then '{K.OVERDUE_HIGH_RISK}'"
        f" else '{K.FOLLOW_UP}' end",
        f"""{_PLANNED} and (f.assignee_id = (select app_user_id())
             or (m.role = 'cover' and f.assignee_id = m.lead_id)
             or (m.role = 'lead' and f.due_at < (select app_now())))
             and m.role in ('lead', 'caseworker', 'cover')""",
        **_FOLLOW_UP,
    ),
    # What is urgent, or late at high risk, stands with the overdue.
    source(
        STAFF,
        f"case when a.due_at < (select app_now()) and (a.urgent or m.risk_level = 'high') then '{K.OVERDUE_HIGH_RISK}'"
        f" else '{K.ACTION}' end",
        f"""{_TO_DO} and (a.assignee_id = (select app_user_id())
             or (m.role = 'cover' and a.assignee_id = m.lead_id)
             or (m.role = 'lead' and (a.urgent or a.due_at < (select app_now()))))
             and m.role in ('lead', 'caseworker', 'cover')""",
        **_ACTION,
    ),
    # Her safety plan: by the day on which they wanted to look at it again.
    source(
        STAFF,
        f"'{K.PLAN_REVIEW}'",
        """from mine m join safety_plans p on p.case_id = m.case_id
            where m.role in ('lead', 'cover') and p.review_due_on <= %(today)s and m.died is not true""",
        due_at="(p.review_due_on + 1)::timestamp at time zone 'Asia/Phnom_Penh'",
        case_id="m.case_id",
        subject_id="p.id",
    ),
    # The caregiver of a minor was passed by: it lapses after a day. Of who works on the case.
    source(
        STAFF,
        f"'{K.CONFIRMATION}'",
        f"from mine m join consents k on k.case_id = m.case_id where {BYPASS}",
        due_at="k.bypass_until",
        case_id="m.case_id",
        subject_id="k.id",
    ),
    source(
        STAFF,
        f"'{K.CONFIRMATION}'",
        f"from mine m join disclosures d on d.case_id = m.case_id where {DISCLOSURE}",
        due_at="d.created_at + interval '24 hours'",
        case_id="m.case_id",
        subject_id="d.id",
    ),
    source(LIAISONS, f"'{K.ACTION}'", f"{_TO_DO} and a.assignee_id = (select app_user_id())", **_ACTION),
    # A liaison's own, and nothing in their order that tells of the risk.
    source(LIAISONS, f"'{K.FOLLOW_UP}'", f"{_PLANNED} and f.assignee_id = (select app_user_id())", **_FOLLOW_UP),
    # Where the hours have not run out, by what was told; else it falls away.
    source(
        STAFF,
        f"'{K.CARE_WINDOW}'",
        """from mine m join incidents i on i.case_id = m.case_id
            where i.occurred_at > (select app_now()) - interval '5 days'""",
        due_at="i.occurred_at",
        case_id="m.case_id",
        subject_id="i.id",
        sealed="i.sealed",
        occurred_at="i.occurred_at",
        precision="i.precision",
    ),
    # Until somebody was with her since.
    source(
        STAFF,
        f"'{K.NEW_INCIDENT}'",
        """from mine m join incidents i on i.case_id = m.case_id
            where i.created_at > (select app_now()) - interval '5 days'
              and not exists (select from follow_ups f
                               where f.case_id = i.case_id and f.happened_at >= i.created_at)""",
        due_at="i.created_at + interval '24 hours'",
        case_id="m.case_id",
        subject_id="i.id",
    ),
    # Never, as every way to it is closed; what is forgotten all the same shows here.
    source(
        STAFF,
        f"'{K.NO_DATE}'",
        "from mine m where m.role = 'lead' and m.next_due_at is null and m.status <> 'closure_requested'",
        due_at="m.opened_at",
        case_id="m.case_id",
    ),
    source(
        STAFF,
        f"'{K.COVER_ENDS}'",
        """from mine m join assignments a on a.case_id = m.case_id
            where m.role = 'lead' and a.role = 'cover' and a.ended_at is null
              and a.until > (select app_now()) and a.until < %(soon)s""",
        due_at="a.until",
        case_id="m.case_id",
        subject_id="a.id",
    ),
    source(
        STAFF,
        f"'{K.COVER}'",
        "from mine m where m.role = 'cover'",
        due_at="m.until",
        case_id="m.case_id",
        subject_id="m.assignment_id",
    ),
    # Unless another of its kind lasts longer.
    source(
        STAFF,
        f"'{K.CONSENT_ENDS}'",
        """from mine m join consents k on k.case_id = m.case_id
            where m.role in ('lead', 'caseworker', 'cover') and k.withdrawn_at is null
              and k.expires_on between %(today)s and %(consents_until)s
              and not exists (select from consents n
                               where n.case_id = k.case_id and n.purpose = k.purpose and n.withdrawn_at is null
                                 and n.recipient_id is not distinct from k.recipient_id
                                 and n.sector is not distinct from k.sector
                                 and (n.expires_on is null or n.expires_on > k.expires_on))""",
        due_at="(k.expires_on + 1)::timestamp at time zone 'Asia/Phnom_Penh'",
        case_id="m.case_id",
        subject_id="k.id",
    ),
    # When she confirmed it is sealed: these are looked into, and most fall away.
    source(
        STAFF,
        f"'{K.SAFE_CONTACT_UNCONFIRMED}'",
        "from mine m where m.role = 'lead' and m.opened_at < (select app_now()) - interval '30 days'",
        due_at="m.opened_at",
        case_id="m.case_id",
    ),
    # What the own case asked of another organisation, and nobody answered or finished in time.
    source(
        STAFF,
        f"'{K.REFERRAL_OVERDUE}'",
        f"""from mine m join referrals r on r.case_id = m.case_id
            where m.role in ('lead', 'cover', 'leaderless', 'reviewer') and r.direction = 'out'
              and r.status in ({_OPEN}) and r.due_at < (select app_now())""",
        due_at="r.due_at",
        case_id="m.case_id",
        subject_id="r.id",
    ),
    # What a partner sent, until its end: to be answered, or past its time.
    source(
        STAFF,
        f"'{K.REFERRAL}'",
        f"""from mine m join referrals r on r.case_id = m.case_id
            where m.role in ('lead', 'cover', 'leaderless') and r.direction = 'in' and r.status in ({_OPEN})
              and (r.status = 'requested' or r.due_at < (select app_now()))""",
        due_at="r.due_at",
        case_id="m.case_id",
        subject_id="r.id",
    ),
    # Whom the answer is asked of: the lead; a supervisor where the match took the lead away, or there is none.
    source(
        STAFF,
        f"'{K.SCREENING_MATCH}'",
        """from screening_known(open_only => true, at_most => 100) s
            join cases c on c.id = s.case_id
           where c.lead_id is null or c.lead_id = (select app_user_id()) or s.led""",
        due_at="s.found_at",
        case_id="s.case_id",
        subject_id="s.id",
    ),
)
