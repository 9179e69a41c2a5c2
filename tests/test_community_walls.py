"""The records of the programme at the database itself: who reads, changes, takes away and adds which, without the API.

1: the row is reached; 0: it is not there, or refused. Every row is of the organisation "ngo" and written down by its
caseworker (`inside`: a liaison who belongs to that organisation).
"""

from collections.abc import Iterator
from typing import Any, LiteralString
from uuid import uuid4

import psycopg

from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from tests.acts import exclude
from tests.cases import open_case
from tests.cast import COMMUNE, Cast

TABLE = """
                        caseworker colleague supervisor inside stranger other_supervisor liaison partner auditor admin
see activity            1 1 1 1 0 0 0 0 0 0
see attendance          1 1 1 1 0 0 0 0 0 0
see participant         1 0 1 0 0 0 0 0 0 0
see visit               1 1 1 0 0 0 0 0 0 0
see visit_violence      1 0 0 0 0 0 0 0 0 0
see visit_planning      1 0 0 0 0 0 0 0 0 0
see visit_marital       1 0 0 0 0 0 0 0 0 0
see visit_opened        1 0 0 0 0 0 0 0 0 0
see visit_referred      1 0 0 0 0 0 0 0 0 0
see visit_again         1 0 0 0 0 0 0 0 0 0
see visit_erased        0 0 0 0 0 0 0 0 0 0
see commitment          1 1 1 1 0 0 0 0 0 0
see commitment_key      1 1 1 1 0 0 0 0 0 0
see feedback            1 1 1 1 0 0 0 0 0 0
see feedback_key        1 0 1 0 0 0 0 0 0 0
see feedback_police     1 1 1 0 0 0 0 0 0 0
see feedback_office     1 1 1 0 0 0 0 0 0 0
see feedback_police_key 1 0 1 0 0 0 0 0 0 0
see business            1 1 1 0 0 0 0 0 0 0
see distribution        1 1 1 0 0 0 0 0 0 0
call visit              1 1 1 0 0 0 0 0 0 0
call visit_violence     1 0 0 0 0 0 0 0 0 0
call visit_erased       0 0 0 0 0 0 0 0 0 0
change activity         1 1 1 0 0 0 0 0 0 0
change visit            1 1 1 0 0 0 0 0 0 0
change visit_violence   1 0 0 0 0 0 0 0 0 0
change visit_erased     0 0 0 0 0 0 0 0 0 0
change commitment       1 1 1 1 0 0 0 0 0 0
change feedback         1 1 1 1 0 0 0 0 0 0
change feedback_police  1 1 1 0 0 0 0 0 0 0
change business         1 1 1 0 0 0 0 0 0 0
change distribution     1 1 1 0 0 0 0 0 0 0
remove attendance       1 1 1 0 0 0 0 0 0 0
remove participant      1 0 1 0 0 0 0 0 0 0
remove activity         1 1 1 0 0 0 0 0 0 0
remove visit            1 1 1 0 0 0 0 0 0 0
remove visit_violence   1 0 0 0 0 0 0 0 0 0
remove visit_erased     0 0 0 0 0 0 0 0 0 0
remove commitment       1 1 1 1 0 0 0 0 0 0
remove feedback         1 1 1 1 0 0 0 0 0 0
remove feedback_police  1 1 1 0 0 0 0 0 0 0
remove business         1 1 1 0 0 0 0 0 0 0
remove distribution     1 1 1 0 0 0 0 0 0 0
add activity            1 1 1 0 0 0 0 0 0 0
add attendance          1 1 1 0 0 0 0 0 0 0
add participant         1 0 1 0 0 0 0 0 0 0
add participant_of_case 0 0 0 0 0 0 0 0 0 0
add visit               1 1 1 0 0 0 0 0 0 0
add visit_violence      1 1 1 0 0 0 0 0 0 0
add visit_elsewhere     0 0 0 0 0 0 0 0 0 0
add visit_of_hidden     0 0 0 0 0 0 0 0 0 0
add visit_erased        0 0 0 0 0 0 0 0 0 0
add commitment          1 1 1 1 0 0 0 0 0 0
add feedback            1 1 1 1 0 0 0 0 0 0
add feedback_police     1 1 1 0 0 0 0 0 0 0
add feedback_office     1 1 1 0 0 0 0 0 0 0
add business            1 1 1 0 0 0 0 0 0 0
add business_elsewhere  0 0 0 0 0 0 0 0 0 0
add business_of_case    0 0 0 0 0 0 0 0 0 0
add distribution        1 1 1 0 0 0 0 0 0 0
add distribution_elsewhere 0 0 0 0 0 0 0 0 0 0
add office_key          1 0 0 0 0 0 0 0 0 0
"""

_EDITED = "id, version, created_at, updated_at, recorded_at, created_by, organisation_id"
_OWN = "%(id)s, 1, %(now)s, %(now)s, %(now)s, %(by)s, %(ngo)s"
_VISIT = (
    f"insert into home_visits ({_EDITED}, caseworker_id, visited_on, household_id, case_id, topics, outcome, erased)"
)
_VISITED = f"values ({_OWN}, %(by)s, %(now)s, %(household)s"
_FEEDBACK = (
    f"insert into feedback ({_EDITED}, commune_code, sentiment, given_on, given_sex, given_age_band, given_people,"
    " sealed, public_service)"
)
_SAID = f"values ({_OWN}, '{COMMUNE}', 'negative', %(now)s, 'female', 'unknown', 1, ''"
_BUSINESS = f"insert into businesses ({_EDITED}, kind, owner_sex, owner_age_band, commune_code, started_on, owner_id)"
_STARTED = f"values ({_OWN}, 'retail', 'female', 'unknown', '{COMMUNE}', %(now)s"
_RELIEF = f"insert into distributions ({_EDITED}, cause, item, quantity, distributed_on, household_id)"
_NAMED = (
    "insert into activity_participants (activity_id, organisation_id, sex, age_band, person_id)"
    " values (%(activity)s, %(ngo)s, 'female', 'unknown'"
)
ADDS: dict[str, LiteralString] = {
    "activity": f"insert into activities ({_EDITED}, kind, starts_on, ends_on, commune_code, topics, facilitators,"
    f" people, groups) values ({_OWN}, 'public_forum', %(now)s, %(now)s, '{COMMUNE}', '[]', '[]', 0, '{{}}')",
    "attendance": "insert into activity_attendance (id, activity_id, organisation_id, sex, age_band, people)"
    " values (%(id)s, %(activity)s, %(ngo)s, 'female', 'unknown', 3)",
    "participant": f"{_NAMED}, %(person)s)",
    "participant_of_case": f"{_NAMED}, %(client)s)",
    "visit": f"{_VISIT} {_VISITED}, null, '[\"nutrition\"]', 'advice_given', false)",
    "visit_violence": f"{_VISIT} {_VISITED}, null, '[\"nutrition\", \"domestic_violence\"]', 'no_need', false)",
    "visit_planning": f"{_VISIT} {_VISITED}, null, '[\"family_planning\"]', 'no_need', false)",
    "visit_marital": f"{_VISIT} {_VISITED}, null, '[\"marital_issue\"]', 'no_need', false)",
    "visit_opened": f"{_VISIT} {_VISITED}, null, '[]', 'case_opened', false)",
    "visit_referred": f"{_VISIT} {_VISITED}, null, '[]', 'referred', false)",
    "visit_again": f"{_VISIT} {_VISITED}, null, '[]', 'follow_up_planned', false)",
    "visit_erased": f"{_VISIT} {_VISITED}, null, '[]', 'no_need', true)",
    "visit_elsewhere": f"{_VISIT} values ({_OWN}, %(by)s, %(now)s, %(household_elsewhere)s, null, '[]', 'no_need',"
    " false)",
    "visit_of_hidden": f"{_VISIT} {_VISITED}, %(hidden)s, '[]', 'no_need', false)",
    "commitment": f"insert into commitments ({_EDITED}, promised_by, commune_code, issue, made_on, status, sealed)"
    f" values ({_OWN}, 'ccwc', '{COMMUNE}', 'documents', %(now)s, 'open', '')",
    "feedback": f"{_FEEDBACK} {_SAID}, 'health_centre')",
    "feedback_police": f"{_FEEDBACK} {_SAID}, 'police')",
    "feedback_office": f"{_FEEDBACK} {_SAID}, 'commune_office')",
    "business": f"{_BUSINESS} {_STARTED}, %(person)s)",
    "business_elsewhere": f"{_BUSINESS} {_STARTED}, %(person_elsewhere)s)",
    "business_of_case": f"{_BUSINESS} {_STARTED}, %(client)s)",
    "distribution": f"{_RELIEF} values ({_OWN}, 'flood', 'Rice', 2, %(now)s, %(household)s)",
    "distribution_elsewhere": f"{_RELIEF} values ({_OWN}, 'flood', 'Rice', 2, %(now)s, %(household_elsewhere)s)",
    "key": "insert into vault.data_keys (home, organisation_id, kek_id, wrapped, part)"
    " values (%(home)s, %(ngo)s, 'x', '', %(part)s)",
    "office_key": "insert into vault.data_keys (home, organisation_id, kek_id, wrapped, part)"
    " values (%(keyless)s, %(ngo)s, 'x', '', 'feedback')",
}
TABLES = {"visit": "home_visits", "feedback": "feedback", "activity": "activities", "business": "businesses"}
CHANGES = {
    "activities": "commune_code = commune_code",
    "home_visits": "next_visit_on = null",
    "commitments": "status = 'kept'",
    "feedback": "sentiment = 'mixed'",
    "businesses": "alive_at_3_months = true",
    "distributions": "quantity = 3",
}
RECORDS = [
    name for name in ADDS if name not in {"key", "office_key"} and "elsewhere" not in name and "_of_" not in name
]


class Programme:
    """One transaction in which every kind of record stands, and which leaves nothing behind."""

    def __init__(self, connection: psycopg.Connection[Any], cast: Cast) -> None:
        self.connection, self.cast = connection, cast
        self.values: dict[str, Any] = {
            "ngo": cast.organisations["ngo"],
            "by": cast.users["caseworker"].id,
            "now": cast.clock(),
        }
        self.ids = {name: uuid4() for name in RECORDS}
        for name, organisation in (("", "ngo"), ("_elsewhere", "other_ngo")):
            self.values[f"household{name}"] = self._home("households", "id_poor_level", organisation)
            self.values[f"person{name}"] = self._home("people", "sex", organisation)
        self.ids["participant"] = self.ids["activity"]
        for name in RECORDS:
            self.add(name, self.ids[name])
        for part, name in (("commitment", "commitment"), ("feedback", "feedback"), ("feedback", "feedback_police")):
            connection.execute(ADDS["key"], {**self.values, "home": self.ids[name], "part": part})
        self.values["keyless"] = self.ids["feedback_office"]

    def _home(self, table: str, code: str, organisation: str) -> Any:
        statement = (
            f"insert into {table} (id, version, created_at, updated_at, organisation_id, {code}, created_by, sealed)"
            " values (gen_random_uuid(), 1, %s, %s, %s, 'unknown', %s, '') returning id"
        )
        values = [self.cast.clock()] * 2
        [made] = self.connection.execute(
            statement.encode(), [*values, self.cast.organisations[organisation], self.values["by"]]
        )
        return made[0]

    def add(self, name: str, own_id: Any = None, **more: Any) -> bool:
        """Whether the record can be added, as whoever is on."""
        values = {**self.values, "activity": self.ids["activity"], "id": own_id or uuid4(), **more}
        return self._reaches(ADDS[name], values, keep=own_id is not None)

    def enter(self, who: str) -> None:
        """From here on the API's role asks, as this person."""
        self.connection.execute("set local role samaki_runtime")
        self.connection.execute("select from begin_request(%s, %s)", [self.cast.sessions[who], self.cast.clock()])
        self.values["by"] = self.cast.users[who].id

    def reaches(self, kind: str, name: str) -> bool:
        """Whether whoever is on reaches this record in this way."""
        if kind == "add":
            return self.add(name)
        if kind == "call":
            return self._reaches("select from app_sees_visit(%(id)s) s (yes) where yes", {"id": self.ids[name]})
        if name.endswith("_key"):
            return self._reaches("select from vault.data_keys where home = %(id)s", {"id": self.ids[name[:-4]]})
        table, key = self._table(name)
        action = {
            "see": f"select from {table}",
            "change": f"update {table} set {CHANGES.get(table)}",
            "remove": f"delete from {table}",
        }[kind]
        return self._reaches(f"{action} where {key} = %(id)s", {"id": self.ids[name]})

    def _table(self, name: str) -> tuple[str, str]:
        if name == "participant":
            return "activity_participants", "activity_id"
        if name == "attendance":
            return "activity_attendance", "id"
        kind = name.partition("_")[0]
        return TABLES.get(kind, f"{kind}s"), "id"

    def _reaches(self, statement: str, values: dict[str, Any], *, keep: bool = False) -> bool:
        self.connection.execute("savepoint probe")
        try:
            reached = self.connection.execute(statement.encode(), values).rowcount > 0
        except psycopg.errors.InsufficientPrivilege:
            reached, keep = False, False
        except psycopg.errors.UniqueViolation:
            reached = True  # the policies come first, and have let it through
        self.connection.execute("release savepoint probe" if keep else "rollback to savepoint probe")
        return reached


def lines() -> Iterator[tuple[str, str, dict[str, bool]]]:
    """kind, record, and who reaches it."""
    head, *rest = [line.split() for line in TABLE.splitlines() if line.strip()]
    for kind, name, *marks in rest:
        yield kind, name, {who: mark == "1" for who, mark in zip(head, marks, strict=True)}


async def set_up(cast: Cast, connection: psycopg.Connection[Any]) -> Programme:
    """Everybody, every record, and a case that only its lead sees."""
    if "inside" not in cast.users:
        await cast.add("inside", Role.CCWC_LIAISON, "ngo", [COMMUNE])
    hidden = await open_case(cast, "stranger", "domestic_violence")
    seen = await open_case(cast, "caseworker", "id_poor")
    made = Programme(connection, cast)
    [client] = connection.execute("select client_id from cases where id = %s", [seen])
    made.values |= {"hidden": hidden, "client": client[0]}
    return made


async def test_each_record_of_the_programme_is_reached_by_those_for_whom_it_is(
    cast: Cast, database: DatabaseUrls
) -> None:
    wrong = []
    with psycopg.connect(database.admin) as connection:
        made = await set_up(cast, connection)
        table = list(lines())
        for who in table[0][2]:
            made.enter(who)
            wrong += [
                f"{kind} {name} as {who}: not {expected[who]}"
                for kind, name, expected in table
                if made.reaches(kind, name) is not expected[who]
            ]
        connection.rollback()
    assert not wrong


async def test_nobody_writes_down_in_the_name_of_another(cast: Cast, database: DatabaseUrls) -> None:
    with psycopg.connect(database.admin) as connection:
        made = await set_up(cast, connection)
        made.enter("supervisor")
        made.values["by"] = cast.users["caseworker"].id
        signed = [name for name in RECORDS if name not in {"attendance", "participant"}]
        assert [name for name in signed if made.add(name)] == []
        connection.rollback()


async def test_without_a_sign_in_there_is_no_programme(cast: Cast, database: DatabaseUrls) -> None:
    with psycopg.connect(database.admin) as connection:
        made = await set_up(cast, connection)
        connection.execute("set local role samaki_runtime")
        reached = [f"{kind} {name}" for kind, name, _ in lines() if made.reaches(kind, name)]
        assert reached == []
        connection.rollback()


async def test_who_recorded_a_visit_and_moved_away_sees_it_no_more(cast: Cast, database: DatabaseUrls) -> None:
    with psycopg.connect(database.admin) as connection:
        made = await set_up(cast, connection)
        own_id = cast.users["caseworker"].id
        for change in ("role = 'auditor'", "organisation_id = %(other)s"):
            connection.execute("savepoint moved")
            connection.execute(
                f"update users set {change} where id = %(id)s".encode(),
                {"other": cast.organisations["other_ngo"], "id": own_id},
            )
            made.enter("caseworker")
            assert not made.reaches("see", "visit_violence"), change
            assert not made.reaches("call", "visit_violence"), change
            connection.execute("rollback to savepoint moved")
        connection.rollback()


async def test_an_exclusion_hides_the_visits_of_the_case_from_who_recorded_them(
    cast: Cast, database: DatabaseUrls
) -> None:
    case_id = await open_case(cast, "colleague", "id_poor")
    with psycopg.connect(database.admin) as connection:
        made = await set_up(cast, connection)
        made.ids["visit_of_case"] = uuid4()
        assert made.add("visit_of_hidden", made.ids["visit_of_case"], hidden=case_id)
        made.enter("caseworker")
        assert made.reaches("see", "visit_of_case")
        assert made.add("visit_of_hidden", hidden=case_id)
        connection.execute("reset role")
        connection.rollback()
    await exclude(cast, "colleague", case_id, "caseworker")
    with psycopg.connect(database.admin) as connection:
        made = await set_up(cast, connection)
        made.ids["visit_of_case"] = uuid4()
        assert made.add("visit_of_hidden", made.ids["visit_of_case"], hidden=case_id)
        made.enter("caseworker")
        for kind in ("see", "change", "remove", "call"):
            assert not made.reaches(kind, "visit_of_case"), kind
        assert not made.add("visit_of_hidden", hidden=case_id)
        made.enter("colleague")
        for kind in ("see", "change", "remove", "call"):
            assert made.reaches(kind, "visit_of_case"), kind
        connection.rollback()


async def test_who_may_not_see_the_case_does_not_see_its_visit_nor_who_recorded_it_once_that_is_over(
    cast: Cast, database: DatabaseUrls
) -> None:
    """Of a sensitive case; the recorder keeps her own visit (community.md), colleague and supervisor see none."""
    case_id = await open_case(cast, "colleague", "domestic_violence")
    with psycopg.connect(database.admin) as connection:
        made = await set_up(cast, connection)
        made.ids["visit_of_case"] = uuid4()
        assert made.add("visit_of_hidden", made.ids["visit_of_case"], hidden=case_id)
        for who, sees in (("caseworker", True), ("colleague", True), ("supervisor", False), ("stranger", False)):
            made.enter(who)
            assert made.reaches("see", "visit_of_case") is sees, who
            assert made.reaches("call", "visit_of_case") is sees, who
        connection.rollback()


async def test_the_words_go_with_their_record(cast: Cast, database: DatabaseUrls) -> None:
    with psycopg.connect(database.admin) as connection:
        made = await set_up(cast, connection)
        for name in ("commitment", "feedback"):
            made.enter("caseworker")
            table, _ = made._table(name)
            connection.execute(f"delete from {table} where id = %s".encode(), [made.ids[name]])
            connection.execute("reset role")
            query = "select count(*) from vault.data_keys where home = %s"
            assert connection.execute(query, [made.ids[name]]).fetchone() == (0,)
        [kept] = connection.execute(
            "select count(*) from vault.data_keys where home = %s", [made.ids["feedback_police"]]
        )
        assert kept == (1,)
        connection.rollback()
