"""Where the worklist comes from: one entry for each kind of thing to do, joined into one statement for a role.

A source is a `select` of the columns of `worklist_source.py`, under the row policies like every other statement; `mine`
are the open cases on which the caller works. A new one is one more entry, and a member of WorklistKind where it ranks.
Parameters: `today` is the day in Phnom Penh, `tomorrow` the moment at which it ends, `soon` and `consents_until` say
until when an end is near.
"""

from datetime import timedelta
from functools import cache

from app.models.codes.care import WorklistKind
from app.models.codes.people import Role
from app.services.worklist_oversight import LENT, OF_OVERSIGHT
from app.services.worklist_work import OF_WORK

SOON = timedelta(days=3)  # the end of a cover
CONSENT_ENDS_WITHIN = timedelta(days=7)

# Driven from the caller's own places, by their index: a caseworker of an office with 50,000 cases has 25 of them.
MINE = """
    select c.id as case_id, a.id as assignment_id, a.role, a.until, c.lead_id, c.risk_level, c.status, c.next_due_at,
           c.opened_at, c.closure_reason = 'died' as died
      from assignments a
      join cases c on c.id = a.case_id
     where a.user_id = (select app_user_id()) and a.ended_at is null
       and (a.until is null or a.until > (select app_now())) and c.status <> 'closed'
"""
# Nobody leads these: the organisation's supervisors are their reviewers until somebody does.
LEADERLESS = """
    union all
    select c.id, null, 'leaderless', null, null, c.risk_level, c.status, c.next_due_at, c.opened_at,
           c.closure_reason = 'died'
      from cases c
     where c.organisation_id = (select app_organisation_id()) and c.lead_id is null and c.status <> 'closed'
       and c.erased_at is null
"""

SOURCES = OF_WORK + OF_OVERSIGHT + LENT


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
