"""Sources of the worklist: what waits for a supervisor, on cases that she sees and on those that she only oversees."""

from app.models.codes.care import WorklistKind
from app.services.worklist_source import SUPERVISORS, Source, source
from app.services.worklist_work import BYPASS, DISCLOSURE

K = WorklistKind

# Where somebody decides: on a standard case any supervisor of the organisation, on others who reviews it.
_TO_DECIDE = """
    (select q.* from assistance_requests q
      where q.organisation_id = (select app_organisation_id()) and q.standard and q.status = 'submitted'
      union all
     select q.*
       from (select distinct r.case_id from case_access r
              where r.principal = any ((select app_principals())::uuid[]) and r.via = 'reviewer'
                and (r.expires_at is null or r.expires_at > (select app_now())) offset 0) own
       join assistance_requests q on q.case_id = own.case_id and not q.standard and q.status = 'submitted')
"""

_STANDARD = """c.sensitivity = 'standard' and c.status <> 'closed'
             and not exists (select from mine m where m.case_id = c.id)"""

# Cases of other organisations, where nobody can decide who belongs to them.
_LENT = """
      from assignments a
      join cases c on c.id = a.case_id
"""
_OF_LENT = """
     where a.user_id = (select app_user_id()) and a.role = 'reviewer' and a.ended_at is null
       and a.until > (select app_now()) and a.organisation_id <> (select app_organisation_id())
"""

LENT: tuple[Source, ...] = (
    source(
        SUPERVISORS,
        f"'{K.CLOSURE_REVIEW}'",
        f"{_LENT} {_OF_LENT} and c.status = 'closure_requested' and c.closure_requested_by <> (select app_user_id())",
        case_id="c.id",
    ),
    # Of a sensitive case it is above, as of every reviewer.
    source(
        SUPERVISORS,
        f"'{K.APPROVAL}'",
        f"""{_LENT} join assistance_requests q on q.case_id = c.id and q.standard and q.status = 'submitted' {_OF_LENT}
            and q.first_approved_by is distinct from (select app_user_id())""",
        due_at="q.created_at",
        case_id="q.case_id",
        subject_id="q.id",
    ),
    source(
        SUPERVISORS,
        f"'{K.NEEDS_REVIEW}'",
        f"""{_LENT} join risk_changes r on r.case_id = c.id {_OF_LENT} and r.review_due_at is not null
            and r.reviewed_at is null and c.risk_level = 'high'""",
        due_at="r.review_due_at",
        case_id="r.case_id",
        subject_id="r.id",
    ),
    source(
        SUPERVISORS,
        f"'{K.NEEDS_REVIEW}'",
        f"{_LENT} {_OF_LENT} and c.death_review_due_at is not null",
        due_at="c.death_review_due_at",
        case_id="c.id",
    ),
)

OF_OVERSIGHT: tuple[Source, ...] = (
    source(
        SUPERVISORS,
        f"'{K.LEADERLESS}'",
        "from mine m join cases c on c.id = m.case_id where m.role = 'leaderless'",
        due_at="""greatest(c.created_at, (select max(a.ended_at) from assignments a
                                           where a.case_id = c.id and a.role = 'lead')) + interval '4 hours'""",
        case_id="m.case_id",
    ),
    # Told to whom sees the case and does not lead it.
    source(
        SUPERVISORS,
        f"'{K.ESCALATED}'",
        """from cases c
           where c.organisation_id = (select app_organisation_id()) and c.erased_at is null
             and (c.status = 'closure_requested' or c.escalated_at is not null)
             and c.status <> 'closed' and c.escalated_at is not null and c.lead_id <> (select app_user_id())""",
        due_at="c.escalated_at",
        case_id="c.id",
    ),
    # Of a sensitive case by a reviewer who is not the requester.
    source(
        SUPERVISORS,
        f"'{K.CLOSURE_REVIEW}'",
        """from cases c
           where c.organisation_id = (select app_organisation_id()) and c.erased_at is null
             and (c.status = 'closure_requested' or c.escalated_at is not null)
             and c.status = 'closure_requested'
             and (c.sensitivity = 'standard'
                  or (c.closure_requested_by <> (select app_user_id())
                      and exists (select from case_access r
                                   where r.case_id = c.id and r.principal = any ((select app_principals())::uuid[])
                                     and r.via = 'reviewer'
                                     and (r.expires_at is null or r.expires_at > (select app_now())))))""",
        case_id="c.id",
    ),
    source(
        SUPERVISORS,
        f"'{K.APPROVAL}'",
        f"""from {_TO_DECIDE} q
            where q.created_by <> (select app_user_id())
              and q.first_approved_by is distinct from (select app_user_id())""",
        due_at="q.created_at",
        case_id="q.case_id",
        subject_id="q.id",
    ),
    # Any supervisor may be the second person on a standard case; on those that are her own she is with the work.
    source(
        SUPERVISORS,
        f"'{K.CONFIRMATION}'",
        f"""from consents k join cases c on c.id = k.case_id
            where k.organisation_id = (select app_organisation_id()) and {BYPASS} and {_STANDARD}""",
        due_at="k.bypass_until",
        case_id="k.case_id",
        subject_id="k.id",
    ),
    source(
        SUPERVISORS,
        f"'{K.CONFIRMATION}'",
        f"""from disclosures d join cases c on c.id = d.case_id
            where d.organisation_id = (select app_organisation_id()) and {DISCLOSURE} and {_STANDARD}""",
        due_at="d.created_at + interval '24 hours'",
        case_id="d.case_id",
        subject_id="d.id",
    ),
    # What another organisation would hand over: its own code, and nothing of the case.
    source(
        SUPERVISORS,
        f"'{K.TRANSFER}'",
        "from transfers_in(only_status => 'requested', at_most => 100) t",
        due_at="t.due_at",
        subject_id="t.id",
        code="t.code",
    ),
    # What another organisation asks of the own one: its own code, and nothing of the case.
    source(
        SUPERVISORS,
        f"'{K.REFERRAL}'",
        """from referrals r
            where r.partner_id = (select app_organisation_id()) and r.direction = 'out'
              and (r.status = 'requested' or (r.status in ('accepted', 'in_progress', 'on_hold')
                                              and r.due_at < (select app_now())))""",
        due_at="r.due_at",
        subject_id="r.id",
        code="r.code",
    ),
    # Silence on the standard cases of others; those that are the supervisor's own are with the work.
    source(
        SUPERVISORS,
        f"'{K.REFERRAL_OVERDUE}'",
        """from (select x.* from referrals x
                   where x.organisation_id = (select app_organisation_id()) and x.standard and x.direction = 'out'
                     and x.status in ('requested', 'accepted', 'in_progress', 'on_hold')
                     and x.due_at < (select app_now())
                   order by x.due_at limit 100) r
            where not exists (select from mine m where m.case_id = r.case_id)""",
        due_at="r.due_at",
        case_id="r.case_id",
        subject_id="r.id",
    ),
    # A high risk that a supervisor has not looked at; of a stub the review below says as much.
    source(
        SUPERVISORS,
        f"'{K.NEEDS_REVIEW}'",
        """from risk_changes r join cases c on c.id = r.case_id
            where r.organisation_id = (select app_organisation_id()) and r.review_due_at is not null
              and r.reviewed_at is null and c.risk_level = 'high'""",
        due_at="r.review_due_at",
        case_id="r.case_id",
        subject_id="r.id",
    ),
    source(
        SUPERVISORS,
        f"'{K.NEEDS_REVIEW}'",
        """from cases c
            where c.organisation_id = (select app_organisation_id()) and c.death_review_due_at is not null""",
        due_at="c.death_review_due_at",
        case_id="c.id",
    ),
    source(
        SUPERVISORS,
        f"'{K.BREAK_GLASS_REVIEW}'",
        """from glass_broken(reviewed => false, at_most => 100) g where g.user_id <> (select app_user_id())""",
        due_at="g.review_due_at",
        case_id="g.case_id",
        subject_id="g.id",
        code="g.case_code",
    ),
    source(
        SUPERVISORS,
        f"'{K.NEEDS_REVIEW}'",
        "from stubs_to_review(200) s",
        case_id="s.id",
        code="s.code",
        due_week="s.next_due_week",
        late="s.overdue",
    ),
)
