"""Where the worklist comes from: one entry for each kind of thing to do, joined into one statement for a role.

A source is a `select` of the columns below, under the row policies like every other statement; `mine` are the open
cases on which the caller works. A new one is one more entry of SOURCES, and a member of WorklistKind where it ranks.
Parameters: `today` is the day in Phnom Penh, `tomorrow` the moment at which it ends, `soon` and `consents_until` say
until when an end is near.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from app.models.codes import Role, WorklistKind

K = WorklistKind
STAFF = frozenset({Role.CASEWORKER, Role.SUPERVISOR})
SUPERVISORS = frozenset({Role.SUPERVISOR})
LIAISONS = frozenset({Role.CCWC_LIAISON})

SOON = timedelta(days=3)  # the end of a cover
CONSENT_ENDS_WITHIN = timedelta(days=7)

# What a source may give beside its kind; by `sealed`, `occurred_at` and `precision` the item is judged; `code`,
# `due_week` and `late` are of a case that is only a stub.
COLUMNS = {
    "due_at": "timestamptz",
    "case_id": "uuid",
    "subject_id": "uuid",
    "sealed": "bytea",
    "occurred_at": "timestamptz",
    "precision": "text",
    "code": "text",
    "due_week": "text",
    "late": "boolean",
}

# Driven from the caller's own places, by their index: a caseworker of an office with 50,000 cases has 25 of them.
MINE = """
    select c.id as case_id, a.id as assignment_id, a.role, a.until, c.lead_id, c.risk_level, c.status, c.next_due_at,
           c.opened_at
      from assignments a
      join cases c on c.id = a.case_id
     where a.user_id = (select app_user_id()) and a.ended_at is null
       and (a.until is null or a.until > (select app_now())) and c.status <> 'closed'
"""
# Nobody leads these: the organisation's supervisors are their reviewers until somebody does.
LEADERLESS = """
    union all
    select c.id, null, 'leaderless', null, null, c.risk_level, c.status, c.next_due_at, c.opened_at
      from cases c
     where c.organisation_id = (select app_organisation_id()) and c.lead_id is null and c.status <> 'closed'
       and c.erased_at is null
"""


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of thing to do, for these roles."""

    roles: frozenset[Role]
    sql: str


def _source(roles: frozenset[Role], kind: str, rows: str, **columns: str) -> Source:
    """`kind` is SQL, `rows` everything from `from` on; columns that are not given are null."""
    given = ", ".join(f"({columns.get(name, 'null')})::{sort} as {name}" for name, sort in COLUMNS.items())
    return Source(roles, f"select {kind} as kind, {given} {rows}")


_PLANNED = """
      from mine m
      join follow_ups f on f.case_id = m.case_id
     where f.happened_at is null and f.ended_at is null and f.due_at < %(tomorrow)s
"""
_FOLLOW_UP = {"due_at": "f.due_at", "case_id": "m.case_id", "subject_id": "f.id", "sealed": "f.sealed"}

SOURCES: tuple[Source, ...] = (
    # Those of the caller; who covers has the lead's; the lead sees what others left undone.
    _source(
        STAFF,
        f"case when m.risk_level = 'high' and f.due_at < (select app_now()) then '{K.OVERDUE_HIGH_RISK}'"
        f" else '{K.FOLLOW_UP}' end",
        f"""{_PLANNED} and (f.assignee_id = (select app_user_id())
             or (m.role = 'cover' and f.assignee_id = m.lead_id)
             or (m.role = 'lead' and f.due_at < (select app_now())))
             and m.role in ('lead', 'caseworker', 'cover')""",
        **_FOLLOW_UP,
    ),
    # A liaison's own, and nothing in their order that tells of the risk.
    _source(LIAISONS, f"'{K.FOLLOW_UP}'", f"{_PLANNED} and f.assignee_id = (select app_user_id())", **_FOLLOW_UP),
    # Where the hours have not run out, by what was told; else it falls away.
    _source(
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
    _source(
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
    _source(
        STAFF,
        f"'{K.NO_DATE}'",
        "from mine m where m.role = 'lead' and m.next_due_at is null and m.status <> 'closure_requested'",
        due_at="m.opened_at",
        case_id="m.case_id",
    ),
    _source(
        STAFF,
        f"'{K.COVER_ENDS}'",
        """from mine m join assignments a on a.case_id = m.case_id
            where m.role = 'lead' and a.role = 'cover' and a.ended_at is null
              and a.until > (select app_now()) and a.until < %(soon)s""",
        due_at="a.until",
        case_id="m.case_id",
        subject_id="a.id",
    ),
    _source(
        STAFF,
        f"'{K.COVER}'",
        "from mine m where m.role = 'cover'",
        due_at="m.until",
        case_id="m.case_id",
        subject_id="m.assignment_id",
    ),
    # Unless another of its kind lasts longer.
    _source(
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
    _source(
        STAFF,
        f"'{K.SAFE_CONTACT_UNCONFIRMED}'",
        "from mine m where m.role = 'lead' and m.opened_at < (select app_now()) - interval '30 days'",
        due_at="m.opened_at",
        case_id="m.case_id",
    ),
    # Whom the answer is asked of: the lead; a supervisor where the match took the lead away, or there is none.
    _source(
        STAFF,
        f"'{K.SCREENING_MATCH}'",
        """from screening_known(open_only => true, at_most => 100) s
            join cases c on c.id = s.case_id
           where c.lead_id is null or c.lead_id = (select app_user_id()) or s.led""",
        due_at="s.found_at",
        case_id="s.case_id",
        subject_id="s.id",
    ),
    _source(
        SUPERVISORS,
        f"'{K.LEADERLESS}'",
        "from mine m join cases c on c.id = m.case_id where m.role = 'leaderless'",
        due_at="""greatest(c.created_at, (select max(a.ended_at) from assignments a
                                           where a.case_id = c.id and a.role = 'lead')) + interval '4 hours'""",
        case_id="m.case_id",
    ),
    # Told to whom sees the case and does not lead it.
    _source(
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
    _source(
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
    _source(
        SUPERVISORS,
        f"'{K.BREAK_GLASS_REVIEW}'",
        """from glass_broken(reviewed => false, at_most => 100) g where g.user_id <> (select app_user_id())""",
        due_at="g.review_due_at",
        case_id="g.case_id",
        subject_id="g.id",
        code="g.case_code",
    ),
    _source(
        SUPERVISORS,
        f"'{K.NEEDS_REVIEW}'",
        "from stubs_to_review(200) s",
        case_id="s.id",
        code="s.code",
        due_week="s.next_due_week",
        late="s.overdue",
    ),
)


@cache
def statement_for(role: Role) -> str:
    """Everything that a person of this role may have to do, most urgent first, at most `%(most)s` rows."""
    own = " union all ".join(source.sql for source in SOURCES if role in source.roles)
    mine = MINE + (LEADERLESS if role is Role.SUPERVISOR else "")
    order = ", ".join(f"'{kind}'" for kind in WorklistKind)
    # Nothing of it comes from outside.
    return f"""
        with mine as materialized ({mine})
        select * from ({own}) todo
         order by array_position(array[{order}], todo.kind), todo.due_at, todo.case_id, todo.subject_id
         limit %(most)s
    """  # noqa: S608
