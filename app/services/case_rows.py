"""The newest rows of a table that hangs on cases, over every case that the caller sees.

The row policies decide what is seen. Were they to find it, too, a list would walk past every row that is hidden from
its caller, and its time would tell how many those are. So the statement goes two ways, and neither meets many of them:
by an index of the organisation's rows of standard cases (column `standard`, 152_standard_rows.sql), and by the cases to
which the caller has a way of her own.
"""

# Beside what the whole staff sees: by the own principal, or as one of the reviewers of what has no lead.
OWN_CASES = """
    (select a.case_id from case_access a where a.principal = (select (app_principals())[1])
      union
     select a.case_id from case_access a
      where a.principal = any ((select app_principals())::uuid[]) and a.via = 'reviewer')
"""
BEYOND = "(r.created_at, r.id) < (%(cursor_at)s, cast(%(cursor_id)s as uuid))"


def newest(rows: str) -> str:
    """SQL of the newest `wanted` of some rows `r`; `rows` is everything from `from` on."""
    return f"(select r.* {rows} order by r.created_at desc, r.id desc limit %(wanted)s)"


def newest_of_all(table: str, where: str = "true") -> str:
    """The same over every case that the caller sees, for rows `r` of a table; the organisation is the caller's.

    It needs the indexes `(organisation_id, …, created_at, id) where standard`, where … is what `where` asks, and
    `(case_id, created_at, id)`.
    """
    everybodys = "r.organisation_id = %(organisation_id)s and r.standard"
    of_one = newest(f"from {table} r where r.case_id = own.case_id and not ({everybodys}) and {where}")
    found = (
        newest(f"from {table} r where {everybodys} and {where}"),
        newest(f"from {OWN_CASES} own cross join lateral {of_one} r"),
    )
    return newest(f"from ({' union all '.join(found)}) r")
