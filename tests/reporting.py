"""A programme of its own organisation for tests of reports: rows as the services write them, put there by hand."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from tests.cast import COMMUNE, Cast, answered
from tests.helping import of_their_own

PERIOD = "2024Q3"
DAY = date(2024, 8, 14)
RECEIVED = datetime(2024, 8, 15, 3, tzinfo=UTC)


@dataclass
class Programme:
    """What one organisation recorded; every method gives the id of the row that it wrote."""

    cast: Cast
    db: psycopg.Connection[Any]
    team: dict[str, str]
    organisation: UUID = field(init=False)
    by: UUID = field(init=False)

    def __post_init__(self) -> None:
        user = self.cast.users[self.team["supervisor"]]
        assert user.organisation_id is not None
        self.organisation, self.by = user.organisation_id, user.id

    @property
    def supervisor(self) -> Any:
        return self.cast.client(self.team["supervisor"])

    def put(self, table: str, received: datetime = RECEIVED, **values: Any) -> UUID:
        """A record with what every record has."""
        row = {
            "id": uuid4(),
            "version": 1,
            "created_at": received,
            "updated_at": received,
            "recorded_at": received,
            "created_by": self.by,
            **values,
        }
        return self._insert(table, row)

    def _insert(self, table: str, row: dict[str, Any]) -> UUID:
        row = {"organisation_id": self.organisation, **row}
        stored = {name: Jsonb(one) if isinstance(one, list | dict) else one for name, one in row.items()}
        names, places = ", ".join(stored), ", ".join(f"%({name})s" for name in stored)
        self.db.execute(f"insert into {table} ({names}) values ({places})".encode(), stored)
        return row.get("id", self.organisation)  # type: ignore[no-any-return]

    def delete(self, table: str, row: UUID) -> None:
        self.db.execute(f"delete from {table} where id = %s".encode(), [row])

    def activity(self, kind: str = "health_training", on: date = DAY, commune: str = COMMUNE, **more: Any) -> UUID:
        values: dict[str, Any] = {"topics": [], "facilitators": [], "groups": {}, "people": 0}
        if kind == "media_campaign":
            values |= {"channel": "tuk_tuk", "reach": 100, "reach_basis": "Counted."}
        return self.put(
            "activities", **{"kind": kind, "starts_on": on, "ends_on": on, "commune_code": commune, **values, **more}
        )

    def attendance(self, activity: UUID, people: int, sex: str = "female", band: str = "18-29", **more: Any) -> UUID:
        row = {"id": uuid4(), "activity_id": activity, "sex": sex, "age_band": band, "people": people, **more}
        return self._insert("activity_attendance", row)

    def person(self) -> UUID:
        """A row of the register."""
        row = {"id": uuid4(), "version": 1, "created_at": RECEIVED, "updated_at": RECEIVED, "sex": "female"}
        return self._insert("people", {**row, "created_by": self.by, "sealed": b""})

    def link(self, one: UUID, other: UUID) -> None:
        self.db.execute(
            "insert into person_links (id, person_id, other_id, created_at, created_by) values (%s, %s, %s, %s, %s)",
            [uuid4(), one, other, RECEIVED, self.by],
        )

    def came(self, activity: UUID, person: UUID, sex: str = "female", band: str = "18-29", **more: Any) -> None:
        row = {"activity_id": activity, "person_id": person, "sex": sex, "age_band": band, **more}
        self._insert("activity_participants", row)

    def household(self) -> UUID:
        row = {"id": uuid4(), "version": 1, "created_at": RECEIVED, "updated_at": RECEIVED, "id_poor_level": "unknown"}
        return self._insert("households", {**row, "created_by": self.by, "sealed": b""})

    def visit(self, household: UUID, on: date = DAY, **more: Any) -> UUID:
        values = {"household_id": household, "caseworker_id": self.by, "visited_on": on, "commune_code": COMMUNE}
        return self.put("home_visits", **{**values, "topics": [], "outcome": "no_need", "erased": False, **more})

    def commitment(self, made: date = DAY, **more: Any) -> UUID:
        values = {"promised_by": "commune_chief", "commune_code": COMMUNE, "issue": "land_dispute", "made_on": made}
        return self.put("commitments", **{**values, "status": "open", "sealed": b"", **more})

    def feedback(self, people: int, on: date = DAY, sex: str = "female", **more: Any) -> UUID:
        values = {"public_service": "health_centre", "commune_code": COMMUNE, "sentiment": "mixed", "given_on": on}
        given = {"given_sex": sex, "given_age_band": "18-29", "given_people": people}
        return self.put("feedback", **{**values, **given, "sealed": b"", **more})

    def business(self, on: date = DAY, **more: Any) -> UUID:
        owner = {"owner_id": self.person(), "owner_sex": "female", "owner_age_band": "30-44"}
        values = {"kind": "livestock", "commune_code": COMMUNE, "started_on": on}
        return self.put("businesses", **{**values, **owner, **more})

    def relief(self, household: UUID, on: date = DAY, **more: Any) -> UUID:
        values = {"household_id": household, "cause": "flood", "item": "Rice", "quantity": 50, "distributed_on": on}
        return self.put("distributions", **{**values, "commune_code": COMMUNE, **more})

    async def report(self, period: str = PERIOD, **query: Any) -> Any:
        """The live report of the supervisor."""
        return answered(await self.supervisor.get("/reports/quarterly", params={"period": period, **query}), 200)

    async def figures(self, period: str = PERIOD, **query: Any) -> dict[str, int]:
        """The values of the report by code."""
        return {one["code"]: one["value"] for one in (await self.report(period, **query))["indicators"]}

    async def indicator(self, code: str, period: str = PERIOD, **query: Any) -> Any:
        report = await self.report(period, **query)
        return next(one for one in report["indicators"] if one["code"] == code)

    async def submit(self, period: str = PERIOD, status: int = 201) -> Any:
        return answered(await self.supervisor.post(f"/reports/quarterly/{period}/submit"), status)


async def programme(cast: Cast, superuser: psycopg.Connection[Any]) -> Programme:
    """A programme of an organisation of its own."""
    return Programme(cast, superuser, await of_their_own(cast))
