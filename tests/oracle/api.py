"""The real thing: performs the operations of a run over HTTP, and asks what a user is shown."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ClassVar, LiteralString
from uuid import uuid4

import httpx
import psycopg

from tests.acts import emergency
from tests.cases import intake
from tests.cast import Cast, answered
from tests.confirmations import confirmed
from tests.oracle.changes import Operation
from tests.oracle.rules import User, World

FINGERPRINT: LiteralString = """
    with mine as (select unnest(%(cases)s::uuid[]) as case_id)
    select (select count(*) from cases),
           (select sum(version) from cases c join mine on mine.case_id = c.id),
           (select count(*) from events join mine using (case_id)),
           (select count(*) from notes join mine using (case_id)),
           (select count(*) from incidents join mine using (case_id)),
           (select (count(*), sum(version))::text from consents join mine using (case_id)),
           (select (count(*), count(ended_at))::text from assignments join mine using (case_id)),
           (select (count(*), count(ended_at), count(reviewed_at))::text
              from break_glass_grants join mine using (case_id)),
           (select (count(*), count(lift_requested_at), count(lifted_at))::text
              from case_exclusions join mine using (case_id))
"""


class Api:
    """`cases` and `clients`: ids by the names of the rules; `admin` and `worker`: database connections."""

    def __init__(self, cast: Cast, admin: psycopg.Connection, worker: psycopg.Connection) -> None:
        self.cast, self.admin, self.worker = cast, admin, worker
        self.cases: dict[str, str] = {}
        self.clients: dict[str, str] = {}
        self.glass: dict[tuple[str, str], list[str]] = {}  # case and user: ids of their grants, in order

    async def begin(self) -> World:
        """Two registers with one person each, and the world that the rules start from."""
        now = self.cast.clock()
        world = World(start=now, now=now)
        organisations = {own_id: name for name, own_id in self.cast.organisations.items()}
        for name, user in self.cast.users.items():
            organisation = organisations[user.organisation_id] if user.organisation_id else None
            world.users[name] = User(name, user.role.value, organisation, frozenset(user.communes))
        for register, keeper, organisation in (("r1", "caseworker", "ngo"), ("r2", "stranger", "other_ngo")):
            person = answered(await self.cast.client(keeper).post("/people", json={"alias": "Somebody"}), 201)
            self.clients[register] = person["id"]
            world.register[register] = organisation
        return world

    async def perform(self, world: World, op: Operation) -> int | None:
        """Do it and give the status; None for what happens beside the API."""
        if op.kind in self._BESIDE:
            self._BESIDE[op.kind](self, world, op)
            return None
        response = await self._BY[op.kind](self, world, op)
        if op.kind == "open" and response.is_success:
            self._remember(op.case, response.json()["id"])
        return response.status_code

    async def get(self, user: str, path: str, **query: Any) -> httpx.Response:
        return await self.cast.client(user).get(path, params=query)

    def path(self, case: str, rest: str = "") -> str:
        return f"/cases/{self.cases[case]}{rest}"

    def fingerprint(self) -> tuple[Any, ...]:
        """A refused operation leaves this as it was."""
        row = self.admin.execute(FINGERPRINT, {"cases": list(self.cases.values())}).fetchone()
        return tuple(row or ())

    def _remember(self, case: str, case_id: str) -> None:
        self.cases[case] = case_id
        self.clients[case] = self._one("select client_id::text from cases where id = %s", case_id)

    def _one(self, query: LiteralString, *values: Any) -> Any:
        """The single value, or an id of nothing: then the API's answer shows that the rules know better."""
        row = self.admin.execute(query, values).fetchone()
        return str(uuid4()) if row is None else row[0]

    # ---- over HTTP ----

    async def _open(self, world: World, op: Operation) -> httpx.Response:
        wanted = op.details
        chosen = {
            "category": wanted["category"],
            "sensitivity": wanted["sensitivity"],
            "commune_code": wanted["commune"],
            "lead_id": self.cast.id(wanted["lead"]) if wanted["lead"] else None,
            "organisation_id": self.cast.organisation(wanted["organisation"]) if wanted["organisation"] else None,
            "consents": [_consent(world, purpose, last) for purpose, last in wanted["consents"]],
            "excluded_user_ids": [self.cast.id(name) for name in wanted["excluded"]],
        }
        if wanted["client"]:
            chosen |= {"client": None, "client_id": self.clients[wanted["client"]]}
        body = {name: value for name, value in intake(**chosen).items() if value is not None}
        return await self.cast.client(op.actor).post("/cases", json=body)

    async def _edit(self, world: World, op: Operation) -> httpx.Response:
        seen = await self.get(op.actor, self.path(op.case))
        body = {{"commune": "commune_code"}.get(name, name): value for name, value in op.details.items()}
        headers = {"If-Match": seen.headers.get("ETag", '"1"')}
        return await self.cast.client(op.actor).patch(self.path(op.case), json=body, headers=headers)

    async def _incident(self, world: World, op: Operation) -> httpx.Response:
        return await self._post(op, "/incidents", {})

    async def _note(self, world: World, op: Operation) -> httpx.Response:
        return await self._post(op, "/notes", {"text": "Told.", "audience": op.details["audience"]})

    async def _consent(self, world: World, op: Operation) -> httpx.Response:
        return await self._post(op, "/consents", _consent(world, op.details["purpose"], op.details["last"]))

    async def _withdraw(self, world: World, op: Operation) -> httpx.Response:
        consent_id = self._one(
            "select id::text from consents where case_id = %s and purpose = %s and withdrawn_at is null"
            " and expires_on is not distinct from %s limit 1",
            self.cases[op.case],
            op.details["purpose"],
            world.day(op.details["last"]),
        )
        return await self._post(op, f"/consents/{consent_id}/withdraw", {})

    async def _assign(self, world: World, op: Operation) -> httpx.Response:
        body = {"user_id": self.cast.id(op.user), "role": op.details["role"], "reason": "As agreed."}
        if op.details["hours"]:
            body["until"] = (world.now + timedelta(hours=op.details["hours"])).isoformat()
        return await self._post(op, "/assignments", body)

    async def _end(self, world: World, op: Operation) -> httpx.Response:
        own_id = self._one(
            "select id::text from assignments where case_id = %s and user_id = %s and ended_at is null",
            self.cases[op.case],
            self.cast.id(op.user),
        )
        return await self.cast.client(op.actor).delete(self.path(op.case, f"/assignments/{own_id}"))

    async def _exclude(self, world: World, op: Operation) -> httpx.Response:
        return await self._post(op, "/exclusions", {"user_id": self.cast.id(op.user), "reason_code": "client_wish"})

    async def _lift(self, world: World, op: Operation) -> httpx.Response:
        own_id = self._one(
            "select e.id::text from case_exclusions e join case_exclusions o on o.id = e.origin_id"
            " where e.case_id = %s and o.case_id = %s and e.user_id = %s and e.lifted_at is null",
            self.cases[op.case],
            self.cases[op.details["origin"]],
            self.cast.id(op.user),
        )
        return await self._post(op, f"/exclusions/{own_id}/lift", {"reason": "A mistake."})

    async def _move(self, world: World, op: Operation) -> httpx.Response:
        to, status = op.details["to"], world.cases[op.case].status
        body: dict[str, Any] = {"to": to, "reason": "As agreed."}
        if to == "closure_requested" or (status == "intake" and to == "closed"):
            body["closure"] = {"reason": "client_request", "informed_can_return": True}
        return await self._post(op, "/transitions", body)

    async def _change_user(self, world: World, op: Operation) -> httpx.Response:
        body = {name: value for name, value in op.details.items() if name in {"role", "active"}}
        if "organisation" in op.details:
            named = op.details["organisation"]
            body["organisation_id"] = self.cast.organisation(named) if named else None
        if "communes" in op.details:
            body["communes"] = sorted(op.details["communes"])
        path, headers = f"/users/{self.cast.id(op.user)}", {"If-Match": "*"}
        response = await self.cast.client(op.actor).patch(path, json=body, headers=headers)
        if response.status_code == 200 and response.json()["pending"] is not None:
            await self._agree(self.cast.id(op.user))
        if body.get("active"):  # deactivation ended the session; this stands for signing in again
            self.admin.execute("update sessions set ended_at = null where user_id = %s", [self.cast.id(op.user)])
        return response

    async def _agree(self, user_id: str) -> None:
        """Who may says yes; where nobody is left who may, whoever runs the machine does it."""
        await confirmed(self.cast, user_id)
        left = "select count(*) from user_requests where user_id = %s and settled_at is null"
        if self._one(left, user_id):
            self.admin.execute(
                "update users u set role = coalesce(r.wanted->>'role', u.role),"
                " organisation_id = case when r.wanted ? 'organisation_id'"
                " then (r.wanted->>'organisation_id')::uuid else u.organisation_id end,"
                " communes = case when r.wanted ? 'communes'"
                " then array(select jsonb_array_elements_text(r.wanted->'communes')) else u.communes end,"
                " active = coalesce((r.wanted->>'active')::boolean, u.active)"
                " from user_requests r where r.user_id = u.id and u.id = %s and r.settled_at is null",
                [user_id],
            )
            self.admin.execute("update user_requests set settled_at = now() where user_id = %s", [user_id])

    async def _post(self, op: Operation, rest: str, body: dict[str, Any]) -> httpx.Response:
        return await self.cast.client(op.actor).post(self.path(op.case, rest), json=body)

    async def find(self, user: str, case: str) -> httpx.Response:
        """Search for the client of a case by its code."""
        code = self._one("select code from cases where id = %s", self.cases[case])
        return await self.cast.client(user).post("/people/search", json={"code": code})

    async def _break_glass(self, world: World, op: Operation) -> httpx.Response:
        code = self._one("select code from cases where id = %s", self.cases[op.case])
        response = await self.cast.client(op.actor).post("/break-glass", json=emergency(code))
        if response.is_success:
            self.glass.setdefault((op.case, op.actor), []).append(response.json()["id"])
        return response

    async def _review(self, world: World, op: Operation) -> httpx.Response:
        path = f"/break-glass/{self.glass[op.case, op.user][op.details['number']]}/review"
        return await self.cast.client(op.actor).post(path, json={"finding": op.details["finding"]})

    _BY: ClassVar[dict[str, Callable[["Api", World, Operation], Awaitable[httpx.Response]]]] = {
        "open": _open,
        "edit": _edit,
        "incident": _incident,
        "note": _note,
        "consent": _consent,
        "withdraw": _withdraw,
        "assign": _assign,
        "end": _end,
        "exclude": _exclude,
        "lift": _lift,
        "move": _move,
        "break_glass": _break_glass,
        "review": _review,
        "change_user": _change_user,
    }

    # ---- beside the API ----

    def _pass_time(self, world: World, op: Operation) -> None:
        self.cast.clock.advance(minutes=op.details["minutes"])

    def _sweep(self, world: World, op: Operation) -> None:
        self.worker.execute("select set_config('samaki.now', %s, false)", [self.cast.clock().isoformat()])
        self.worker.execute("select sweep_expired_access(1000)")

    _BESIDE: ClassVar[dict[str, Callable[["Api", World, Operation], None]]] = {
        "pass_time": _pass_time,
        "sweep": _sweep,
    }


def _consent(world: World, purpose: str, last: int | None) -> dict[str, Any]:
    given, ends = world.day(0), world.day(last)
    assert given is not None
    day = min(given, ends) if ends else given
    body = {"purpose": purpose, "form": "verbal", "obtained_on": day.isoformat()}
    return body | ({"expires_on": ends.isoformat()} if ends else {})
