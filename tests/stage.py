"""Four cases, and one person for every relation of access.md to them: for matrix, row wall and mutants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg

from app.models.codes import WhereaboutsKind
from app.models.incident import IncidentPrivate
from app.models.whereabouts import WhereaboutsWrite
from app.screening_tokens import of_people
from app.sealing import KeyRing
from tests.acts import emergency
from tests.cases import SUPPORT, intake
from tests.cast import COMMUNE, Cast, answered
from tests.standpoints import LIAISON, SPARE, STANDPOINTS

SHELTER = WhereaboutsKind.SHELTER
KEY = "select kek_id, wrapped from vault.data_keys where home = %s"
NO_DETAILS = b'{"names_km": [], "names_en": [], "phones": [], "relations": [], "earlier_names": []}'
LONG = timedelta(days=3000)  # tests on this stage may let time pass


@dataclass
class StageCase:
    """The ids of one case and of what hangs on it, as paths name them."""

    ids: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.ids["case_id"]


class Stage:
    """People, cases, and a connection that sees everything, to put things back between two calls."""

    def __init__(self, cast: Cast, admin: psycopg.Connection[Any]) -> None:
        self.cast, self.admin = cast, admin
        self.prefix = f"stage{uuid4().hex[:6]}_"
        self.cases: dict[str, StageCase] = {}
        self.register: dict[str, str] = {}

    def name(self, standpoint: str) -> str:
        """The cast's name of a person of this stage."""
        return self.prefix + standpoint

    def client(self, standpoint: str) -> httpx.AsyncClient:
        """Calls as this person."""
        return self.cast.client(self.name(standpoint))

    def user(self, standpoint: str) -> str:
        """The id of this person."""
        return self.cast.id(self.name(standpoint))

    def session(self, standpoint: str) -> UUID:
        """The sign-in of this person."""
        return self.cast.sessions[self.name(standpoint)]

    async def set(self) -> None:
        """Put everybody and everything in place."""
        for one in STANDPOINTS:
            communes = [one.commune] if one.commune else []
            await self.cast.add(self.name(one.name), one.role, one.organisation, communes)
        for name, (role, organisation) in SPARE.items():
            await self.cast.add(self.name(name), role, organisation, [COMMUNE] if role is LIAISON else [])
        await self._set_sensitive()
        await self._set_standard()
        await self._set_led_by_supervisor()
        await self._set_leaderless()
        await self._set_register()
        for user in self.cast.users.values():
            key = "insert into idempotency_keys (actor_id, key, digest, created_at) values (%s, 'old', '', %s)"
            self.run(key, user.id, self.cast.clock())
            sealed = of_people(self.cast.runtime.keys)["details"].seal(NO_DETAILS, user.id)
            self.run("insert into user_private (user_id, sealed) values (%s, %s)", user.id, sealed)

    async def post(self, who: str, path: str, body: Mapping[str, Any]) -> str:
        """A POST that must succeed; gives the id."""
        made: str = answered(await self.client(who).post(path, json=body), 201)["id"]
        return made

    async def _open(self, who: str, case: str, category: str, **changes: Any) -> StageCase:
        consents = [{"purpose": "services", "form": "verbal", "obtained_on": "2026-03-01"}, SUPPORT]
        case_id = await self.post(who, "/cases", intake(category, consents=consents, **changes))
        client_id = self.one("select client_id::text from cases where id = %s", case_id)
        consent_id = self.one("select id::text from consents where case_id = %s and purpose = 'services'", case_id)
        code = self.one("select code from cases where id = %s", case_id)
        ids = {"case_id": case_id, "case_code": code, "person_id": client_id, "consent_id": consent_id}
        made = StageCase(ids)
        self.cases[case] = made
        return made

    async def assign(self, who: str, case: str, user: str, role: str, **more: Any) -> str:
        """Put somebody of the stage on the case."""
        body = {"user_id": self.user(user), "role": role, "reason": "As agreed.", **more}
        return await self.post(who, f"/cases/{self.cases[case].id}/assignments", body)

    async def exclude(self, who: str, case: str, user: str) -> str:
        """Exclude somebody of the stage from the case."""
        body = {"user_id": self.user(user), "reason_code": "client_wish"}
        return await self.post(who, f"/cases/{self.cases[case].id}/exclusions", body)

    async def _furnish(self, case: str, worker: str, overseer: str, assignment: str | None = None) -> None:
        """What every case has: a child, notes for both audiences, an incident, a worker, an exclusion."""
        made = self.cases[case]
        for audience in ("caseworkers", "team"):
            note = {"text": "Told us so.", "audience": audience}
            made.ids[f"{audience}_note"] = await self.post(worker, f"/cases/{made.id}/notes", note)
        made.ids["note_id"] = made.ids["team_note"]
        made.ids["assignment_id"] = assignment or await self.assign(overseer, case, "spare", "caseworker")
        made.ids["exclusion_id"] = await self.exclude(overseer, case, "spare_excluded")
        incident_id, linked = uuid4(), uuid4()
        made.ids["incident_id"] = self.one(
            "insert into incidents (id, version, created_at, updated_at, case_id, organisation_id, precision,"
            " created_by, sealed) select %s, 1, opened_at, opened_at, id, organisation_id,"
            " 'unknown', created_by, %s from cases where id = %s returning id::text",
            incident_id,
            self.sealed(made.id, "incidents", incident_id, IncidentPrivate(note="Told us so.").model_dump(mode="json")),
            made.id,
        )
        for name in ("follow_up_id", "second_follow_up"):  # two, so that one of them may be cancelled
            planned = uuid4()
            made.ids[name] = self.one(
                "insert into follow_ups (id, version, created_at, updated_at, case_id, organisation_id, due_at,"
                " assignee_id, created_by, sealed) select %s, 1, opened_at, opened_at, id, organisation_id, opened_at,"
                " %s, created_by, %s from cases where id = %s returning id::text",
                planned,
                self.user("spare"),
                self.sealed(made.id, "follow_ups", planned, {"channel": "visit"}),
                made.id,
            )
        made.ids["linked"] = self.one(
            "insert into people (id, version, created_at, updated_at, organisation_id, sex, created_by,"
            " sealed) select %s, 1, opened_at, opened_at, organisation_id, 'unknown',"
            " created_by, %s from cases where id = %s returning id::text",
            linked,
            self.sealed(self.with_key(linked, made.id), "people", linked, {"alias": "Once"}),
            made.id,
        )
        made.ids["link_id"] = self._link(made.ids["linked"], made.id)
        self.run(
            "insert into person_links (id, person_id, other_id, created_at, created_by)"
            " select gen_random_uuid(), other_id, person_id, created_at, created_by from person_links where id = %s",
            made.ids["link_id"],
        )
        if "grant_id" not in made.ids:
            grant_id = uuid4()
            made.ids["grant_id"] = self.one(
                "insert into break_glass_grants (id, case_id, organisation_id, user_id, reason_code, sealed,"
                " created_at, expires_at) select %s, id, organisation_id, %s, 'other', %s, opened_at,"
                " opened_at from cases where id = %s returning id::text",
                grant_id,
                self.user("spare"),
                self.sealed(made.id, "break_glass_grants", grant_id, {"reason": "Told us so."}),
                made.id,
            )
        self.hide(case)
        self.put_wish(case)
        self.put_hold(case)
        made.ids["match_id"] = self.one(
            "insert into screening_matches (id, case_id, organisation_id, user_id, evidence, led, status, found_at)"
            " select gen_random_uuid(), id, organisation_id, %s, '{name:1}', false, 'open', opened_at"
            " from cases where id = %s returning id::text",
            self.user("spare_matched"),
            made.id,
        )
        self.run(
            "insert into case_exclusions (id, case_id, organisation_id, user_id, origin_id, reason_code, created_at,"
            " created_by, unanswered) select id, case_id, organisation_id, user_id, id, 'perpetrator', found_at,"
            " user_id, true from screening_matches where id = %s",
            made.ids["match_id"],
        )
        for name in ("child", "sibling"):
            child = uuid4()
            made.ids[name] = self.one(
                "insert into people (id, version, created_at, updated_at, organisation_id, case_id, role, sex,"
                " created_by, sealed) select %s, 1, opened_at, opened_at, organisation_id, id,"
                " 'child', 'unknown', created_by, %s from cases where id = %s returning id::text",
                child,
                self.sealed(made.id, "people", child, {"alias": "Child"}),
                made.id,
            )
        self._link(made.ids["child"], made.id)

    def give_back_follow_ups(self) -> None:
        """Those of somebody else: what is planned for who does not work on a case went to its lead."""
        for made in self.cases.values():
            ids = [made.ids["follow_up_id"], made.ids["second_follow_up"]]
            self.run("update follow_ups set assignee_id = %s where id = any(%s::uuid[])", self.user("spare"), ids)

    def _link(self, person_id: str, case_id: str) -> str:
        """A link of the client of a case; gives its id."""
        made: str = self.one(
            "insert into person_links (id, person_id, other_id, created_at, created_by)"
            " select gen_random_uuid(), client_id, %s, opened_at, created_by from cases where id = %s"
            " returning id::text",
            person_id,
            case_id,
        )
        return made

    def hide(self, case: str) -> None:
        """Where the client of the case is, with a key of its own, whatever was recorded before."""
        case_id, row_id = self.cases[case].id, uuid4()
        ring = KeyRing(self.cast.runtime.kek)
        ring.make(row_id)
        self.run("delete from whereabouts where case_id = %s", case_id)
        self.run(
            "insert into vault.data_keys (home, case_id, organisation_id, kek_id, wrapped, part)"
            " select %s, id, organisation_id, %s, %s, 'whereabouts' from cases where id = %s",
            row_id,
            *ring.wrapped(row_id),
            case_id,
        )
        self.run(
            "insert into whereabouts (id, version, created_at, updated_at, case_id, organisation_id, created_by,"
            " sealed) select %s, 1, opened_at, opened_at, id, organisation_id, created_by, %s from cases where id = %s",
            row_id,
            ring.seal("whereabouts", row_id, row_id, WhereaboutsWrite(kind=SHELTER).model_dump(mode="json")),
            case_id,
        )
        self.cases[case].ids["whereabouts_id"] = str(row_id)

    def put_wish(self, case: str) -> None:
        """Somebody's wish that the case be erased, when none stands."""
        made, own_id = self.cases[case], uuid4()
        self.run(
            "insert into erasure_requests (id, case_id, organisation_id, reason_code, sealed, created_at, created_by)"
            " select %s, id, organisation_id, 'other', %s, opened_at, %s from cases where id = %s"
            " on conflict do nothing",
            own_id,
            self.sealed(made.id, "erasure_requests", own_id, {"reason": "Told us so."}),
            self.user("spare_supervisor"),
            made.id,
        )
        standing = "select id::text from erasure_requests where case_id = %s and withdrawn_at is null"
        made.ids["wish_id"] = self.one(standing, made.id)

    def put_hold(self, case: str) -> None:
        """A legal hold, when none stands: no call of the matrix takes a case of the stage away."""
        made, own_id = self.cases[case], uuid4()
        self.run(
            "insert into legal_holds (id, case_id, organisation_id, basis, sealed, created_at, created_by)"
            " select %s, id, organisation_id, 'decided', %s, opened_at, created_by from cases where id = %s"
            " on conflict do nothing",
            own_id,
            self.sealed(made.id, "legal_holds", own_id, {"reason": "Told us so."}),
            made.id,
        )

    def sealed(self, home: str, table: str, row_id: UUID, document: dict[str, Any]) -> bytes:
        """The private part of a row, sealed with the key of its home."""
        ring = KeyRing(self.cast.runtime.kek)
        ring.add(UUID(home), *self.admin.execute(KEY, [home]).fetchone() or ())
        return ring.seal(table, row_id, UUID(home), document)

    def with_key(self, row_id: UUID, case_id: str) -> str:
        """A register row's home with a new key, in the organisation of a case."""
        ring = KeyRing(self.cast.runtime.kek)
        ring.make(row_id)
        self.run(
            "insert into vault.data_keys (home, organisation_id, kek_id, wrapped)"
            " select %s, organisation_id, %s, %s from cases where id = %s",
            row_id,
            *ring.wrapped(row_id),
            case_id,
        )
        return str(row_id)

    async def _set_sensitive(self) -> None:
        await self._open("excluded_opener", "sensitive", "domestic_violence")
        await self.assign("stub", "sensitive", "lead", "lead")
        later = (self.cast.clock() + LONG).isoformat()
        await self.assign("lead", "sensitive", "assigned", "caseworker")
        await self.assign("lead", "sensitive", "cover", "cover", until=later)
        await self.assign("stub", "sensitive", "supervisor_assigned", "caseworker")
        await self.assign("stub", "sensitive", "supervisor_cover", "cover", until=later)
        for reviewer in ("reviewer", "excluded_reviewer"):
            await self.assign("stub", "sensitive", reviewer, "reviewer")
        ended = await self.assign("lead", "sensitive", "ended", "caseworker")
        ending = await self.client("lead").delete(f"/cases/{self.cases['sensitive'].id}/assignments/{ended}")
        answered(ending, 204)
        await self.assign("lead", "sensitive", "excluded_liaison", "liaison")
        own = await self.assign("lead", "sensitive", "liaison", "liaison")
        soon = (self.cast.clock() + timedelta(minutes=1)).isoformat()
        await self.assign("lead", "sensitive", "expired_cover", "cover", until=soon)
        await self.break_glass("sensitive", "expired_glass", timedelta(minutes=1))
        await self.break_glass("sensitive", "supervisor_glass", LONG)
        self.cases["sensitive"].ids["grant_id"] = await self.break_glass("sensitive", "glass", LONG)
        lasting = "update assignments set until = %s where role = 'reviewer' and case_id = %s"
        self.run(lasting, self.cast.clock() + LONG, self.cases["sensitive"].id)
        await self._furnish("sensitive", "lead", "lead", own)
        for name in ("excluded_opener", "excluded_reviewer", "excluded_liaison"):
            await self.exclude("lead", "sensitive", name)

    async def _set_standard(self) -> None:
        await self._open("excluded_opener_standard", "standard", "id_poor")
        await self.assign("supervisor", "standard", "spare_supervisor", "lead")
        await self.assign("supervisor", "standard", "excluded_liaison_standard", "liaison")
        own = await self.assign("supervisor", "standard", "liaison_standard", "liaison")
        await self._furnish("standard", "supervisor", "supervisor", own)
        for name in ("excluded_opener_standard", "excluded_supervisor", "excluded_liaison_standard"):
            await self.exclude("supervisor", "standard", name)

    async def _set_led_by_supervisor(self) -> None:
        await self._open("supervisor_lead", "led_by_supervisor", "domestic_violence")
        await self._furnish("led_by_supervisor", "supervisor_lead", "supervisor_lead")

    async def _set_leaderless(self) -> None:
        organisation_id = self.cast.organisation("ngo")
        await self._open("opener", "leaderless", "domestic_violence", organisation_id=organisation_id)
        await self._furnish("leaderless", "nobody_leads", "nobody_leads")
        await self.exclude("nobody_leads", "leaderless", "excluded_leaderless")

    async def _set_register(self) -> None:
        household = await self.post("staff", "/households", {"size": 3})
        person = await self.post("staff", "/people", {"alias": "Owner", "household_id": household})
        clinic = self.cast.organisation("clinic")
        client = await self.post("admin_standard", f"/organisations/{clinic}/clients", {"name": "System"})
        self.register = {
            "household_id": household,
            "register_person": person,
            "organisation_id": clinic,
            "client_id": client,
            "user_id": self.user("spare_user"),
        }

    async def break_glass(self, case: str, user: str, duration: timedelta) -> str:
        """Emergency access that lasts for as long as the stage needs it; gives the grant's id."""
        made = await self.post(user, "/break-glass", emergency(self.cases[case].ids["case_code"]))
        lasting = "update break_glass_grants set expires_at = %s where id = %s"
        self.run(lasting, self.cast.clock() + duration, made)
        return made

    def one(self, statement: str, *values: Any) -> Any:
        """The single value of a query that sees everything."""
        self._use_clock()
        row = self.admin.execute(statement, values).fetchone()
        assert row is not None
        return row[0]

    def run(self, statement: str, *values: Any) -> None:
        """A change that no row policy stops, at the time of the tests' clock."""
        self._use_clock()
        self.admin.execute(statement, values)

    def _use_clock(self) -> None:
        self.admin.execute("select set_config('samaki.now', %s, false)", [self.cast.clock().isoformat()])
