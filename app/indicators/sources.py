"""The rows that indicators count: one pass over each table, the same statement for who sees all and who sees a part.

Every row has `id` (the record), `head` (what is counted once), both as text, `number`, `commune`, `day` (when it
counts), `late` (received after the report of its own day was submitted, so that it counts on the day of its receipt),
and what its source adds. `%(organisation)s`, `%(first)s` and `%(last)s` bound it; `starts`, `ends` and `submitted` are
the periods whose report was submitted, with the moment from which on what comes is late.
"""

from app.indicators.definition import Source

_ROWS = """
    select * from (
      select {columns},
             case when t.created_at > s.at then (t.created_at at time zone 'Asia/Phnom_Penh')::date else t.{day} end
               as day,
             coalesce(t.created_at > s.at, false) as late, t.commune_code as commune
        from {table} t
        {joins}
        left join unnest(%(starts)s::date[], %(ends)s::date[], %(submitted)s::timestamptz[]) s (starts_on, ends_on, at)
          on t.{day} between s.starts_on and s.ends_on
       where t.organisation_id = %(organisation)s and t.{day} <= %(last)s
         and (t.{day} >= %(first)s or t.created_at > s.at) {further}
    ) counted
    where day between %(first)s and %(last)s
"""


def _rows(table: str, day: str, columns: str, joins: str = "", further: str = "") -> str:
    return _ROWS.format(table=table, day=day, columns=columns, joins=joins, further=further)


# As text: the hash of a UUID is worked out anew each time that it is asked for, of a hundred thousand rows a second.
_OWN = "t.id::text as id, t.id::text as head"
_OF_HOUSEHOLD = "t.id::text as id, t.household_id::text as head"
_COMMITMENT = _OWN + ", {kind} as kind, 1 as number"

SOURCES: dict[Source, str] = {
    Source.ACTIVITIES: _rows("activities", "starts_on", f"{_OWN}, t.kind, coalesce(t.reach, 0) as number"),
    Source.ATTENDANCE: _rows(
        "activities",
        "starts_on",
        f"{_OWN}, t.kind, a.sex, a.age_band, a.disability, a.people as number",
        "join activity_attendance a on a.activity_id = t.id",
    ),
    Source.PARTICIPANTS: _rows(
        "activities",
        "starts_on",
        "p.person_id::text as id, p.person_id::text as head, t.kind, p.sex, p.age_band, p.disability,"
        " p.participant_group, 1 as number",
        "join activity_participants p on p.activity_id = t.id",
    ),
    Source.HOME_VISITS: _rows("home_visits", "visited_on", f"{_OF_HOUSEHOLD}, 1 as number"),
    Source.COMMITMENTS: (
        _rows("commitments", "made_on", _COMMITMENT.format(kind="'made'"))
        + " union all "
        + _rows(
            "commitments",
            "status_on",
            _COMMITMENT.format(kind="t.status"),
            further="and t.status in ('kept', 'broken')",
        )
    ),
    Source.FEEDBACK: _rows(
        "feedback",
        "given_on",
        f"{_OWN}, t.given_sex as sex, t.given_age_band as age_band, t.given_people as number",
    ),
    Source.BUSINESSES: _rows(
        "businesses",
        "started_on",
        f"{_OWN}, t.owner_sex as sex, t.owner_age_band as age_band, t.owner_disability as disability, 1 as number",
    ),
    Source.DISTRIBUTIONS: _rows("distributions", "distributed_on", f"{_OF_HOUSEHOLD}, 1 as number"),
}

# Where the records of a source are read, below the base: how many came is read with the activity.
PATHS: dict[Source, str] = {
    Source.ACTIVITIES: "/activities",
    Source.ATTENDANCE: "/activities",
    Source.PARTICIPANTS: "/people",
    Source.HOME_VISITS: "/home-visits",
    Source.COMMITMENTS: "/commitments",
    Source.FEEDBACK: "/feedback",
    Source.BUSINESSES: "/businesses",
    Source.DISTRIBUTIONS: "/distributions",
}

# Which rows of people are the same human: what is linked to a participant, over however many rows.
LINKED = """
    with recursive reached (person) as (
        select p from unnest(%(people)s::uuid[]) as p
         where exists (select from person_links l where l.person_id = p)
            or exists (select from person_links l where l.other_id = p)
        union
        select o.person from reached r
         cross join lateral (select l.other_id as person from person_links l where l.person_id = r.person
                              union all
                             select l.person_id from person_links l where l.other_id = r.person) o
    )
    select l.person_id::text, l.other_id::text from reached r join person_links l on l.person_id = r.person
"""
