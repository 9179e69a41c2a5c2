"""Four cases, and one person for every relation of access.md to them: for matrix, row wall and mutants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, LiteralString, Self
from uuid import UUID, uuid4

import httpx
import psycopg

from app.models.codes.walls import WhereaboutsKind
from app.models.incident import IncidentPrivate
from app.models.safety_plan import SafetyPlanWrite
from app.models.whereabouts import WhereaboutsWrite
from app.screening_tokens import of_people
from app.sealing import KeyRing
from app.sealing.chunks import seal_chunk
from app.webhooks.signing import new_secret, seal_of
from tests.acts import emergency
from tests.cases import SUPPORT, intake
from tests.cast import COMMUNE, Cast, answered
from tests.programme import ROWS, put_case_visit, put_record
from tests.standpoints import LIAISON, REFERRED_TO, SPARE, STANDPOINTS

SHELTER = WhereaboutsKind.SHELTER
KEY = "select kek_id, wrapped from vault.data_keys where home = %s"
IMPORT_KEY: LiteralString = """
    insert into vault.data_keys (home, organisation_id, kek_id, wrapped)
    values (%(id)s, %(organisation)s, %(kek_id)s, %(wrapped)s)
"""
IMPORT: LiteralString = """
    insert into imports (id, organisation_id, kind, state, digest, rows_total, rows_done, errors, duplicates, unchanged,
                         written, session_id, created_at, created_by)
    values (%(id)s, %(organisation)s, 'people', 'checked', '', 1, 1, 0, 0, 0, 0, %(session)s, %(now)s, %(by)s)
"""
IMPORT_CHUNK: LiteralString = """
    insert into import_chunks (id, import_id, organisation_id, number, rows, first_row, last_row, errors, duplicates,
                               unchanged, sealed, report_sealed)
    values (%(chunk)s, %(id)s, %(organisation)s, 0, 1, 2, 2, 0, 0, 0, %(sealed)s, %(report)s)
"""
NO_DETAILS = b'{"names_km": [], "names_en": [], "phones": [], "relations": [], "earlier_names": []}'
REVIEWED_ON = date(2026, 3, 2)  # not before the case was opened
ASSESSED: dict[str, Any] = {
    "assessed_on": "2026-03-01",
    "answers": None,
    "factors": [],
    "reason": None,
    "applied": False,
    "result": {"level": "low", "score": 3, "text": None},
    "score": 3,
    "computed": None,
    "level": "low",
    "choked": False,
}
SERVICE = {"service_type": "legal_aid", "name": "Legal advice", "name_km": "ប្រឹក្សាច្បាប់"}
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

    def recognise(self, other: Self) -> None:
        """What stands on another stage, whose database ours is a copy of."""
        self.prefix = other.prefix
        self.cases = {name: StageCase(dict(case.ids)) for name, case in other.cases.items()}
        self.register = dict(other.register)

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
        await self._set_register()
        await self._set_sensitive()
        await self._set_standard()
        await self._set_led_by_supervisor()
        await self._set_leaderless()
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
        put_case_visit(self, made.ids)
        for name in ("action_id", "second_action"):
            added = uuid4()
            wanted = {"title": "Ask for a card", "need": "documents", "note": None, "prompt": None}
            made.ids[name] = self.one(
                "insert into actions (id, version, created_at, updated_at, case_id, organisation_id, due_on, due_at,"
                " urgent, assignee_id, created_by, sealed) select %s, 1, opened_at, opened_at, id, organisation_id,"
                " opened_at, opened_at, false, %s, created_by, %s from cases where id = %s returning id::text",
                added,
                self.user("spare"),
                self.sealed(made.id, "actions", added, wanted),
                made.id,
            )
        self.put_danger(case)
        self.put_plan(case)
        self.put_assistance(case, "part_paid", self.user("spare_excluded"))
        self._disclose(case)
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
        self.run(
            "insert into imported_rows (id, organisation_id, digest, case_id, created_at, created_by)"
            " select gen_random_uuid(), organisation_id, '', id, opened_at, %s from cases where id = %s",
            self.user("spare_supervisor"),
            made.id,
        )
        self.hide(case)
        self.put_health(case)
        self.attach(case)
        self.put_transfer(case)
        self.put_referral(case)
        self.put_wish(case)
        self.put_hold(case)
        self.put_outside_review(case)
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

    def _disclose(self, case: str) -> None:
        """Something told outside, and a caregiver passed by: both by `spare`, and both wait for a second person."""
        made, own_id = self.cases[case], uuid4()
        made.ids["disclosure_id"] = self.one(
            "insert into disclosures (id, version, created_at, updated_at, case_id, organisation_id, basis,"
            " disclosed_at, created_by, sealed) select %s, 1, opened_at, opened_at, id, organisation_id, 'court_order',"
            " opened_at, %s, %s from cases where id = %s returning id::text",
            own_id,
            self.user("spare"),
            self.sealed(made.id, "disclosures", own_id, {"recipient": "The court", "what": "Told us so."}),
            made.id,
        )
        self.run(
            "update consents set bypass_until = %s, created_by = %s, sealed = %s where id = %s",
            self.cast.clock() + LONG,
            self.user("spare"),
            self.sealed(made.id, "consents", UUID(made.ids["consent_id"]), {"bypass": "absent"}),
            made.ids["consent_id"],
        )

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

    def put_danger(self, case: str) -> None:
        """An assessment, and a high risk that somebody set and that waits for a supervisor's look."""
        made, assessed, changed = self.cases[case], uuid4(), uuid4()
        made.ids["assessment_id"] = self.one(
            "insert into assessments (id, version, created_at, updated_at, case_id, organisation_id, tool, created_by,"
            " sealed) select %s, 1, opened_at, opened_at, id, organisation_id, 'mosaic', created_by, %s from cases"
            " where id = %s returning id::text",
            assessed,
            self.sealed(made.id, "assessments", assessed, ASSESSED),
            made.id,
        )
        made.ids["change_id"] = self.one(
            "insert into risk_changes (id, version, created_at, updated_at, case_id, organisation_id, before, level,"
            " review_due_at, created_by, sealed) select %s, 1, opened_at, opened_at, id, organisation_id, 'low',"
            " 'high', opened_at, %s, %s from cases where id = %s returning id::text",
            changed,
            self.user("spare"),
            self.sealed(made.id, "risk_changes", changed, {"reason": "Told us so.", "review_note": None}),
            made.id,
        )

    def put_plan(self, case: str) -> None:
        """A safety plan that was looked at again, whatever was there before."""
        case_id, row_id = self.cases[case].id, uuid4()
        plan = SafetyPlanWrite(needed=True, developed_with_client=True, strategies="Run.", reviewed_on=REVIEWED_ON)
        self.run("delete from safety_plans where case_id = %s", case_id)
        self.run(
            "insert into safety_plans (id, version, created_at, updated_at, case_id, organisation_id, created_by,"
            " sealed) select %s, 1, opened_at, opened_at, id, organisation_id, created_by, %s from cases where id = %s",
            row_id,
            self.sealed(case_id, "safety_plans", row_id, plan.model_dump(mode="json")),
            case_id,
        )

    def hide(self, case: str) -> None:
        """Where the client of the case is, with a key of its own, whatever was recorded before."""
        case_id, row_id = self.cases[case].id, uuid4()
        self.run("delete from whereabouts where case_id = %s", case_id)
        ring = self._own_key(row_id, case_id, "whereabouts")
        self.run(
            "insert into whereabouts (id, version, created_at, updated_at, case_id, organisation_id, created_by,"
            " sealed) select %s, 1, opened_at, opened_at, id, organisation_id, created_by, %s from cases where id = %s",
            row_id,
            ring.seal("whereabouts", row_id, row_id, WhereaboutsWrite(kind=SHELTER).model_dump(mode="json")),
            case_id,
        )
        self.cases[case].ids["whereabouts_id"] = str(row_id)

    def put_assistance(self, case: str, status: str, asked_by: str) -> None:
        """The request for assistance of the case in this state, with its payment where it is partly paid."""
        made, own_id, payment, reference = self.cases[case], uuid4(), uuid4(), uuid4()
        self.run("delete from assistance_disbursements where case_id = %s", made.id)
        self.run("delete from assistance_requests where case_id = %s", made.id)
        words = {"item": None, "purpose": "Told us so.", "decided_reason": "Told us so."}
        decided = self.user("spare_supervisor") if status != "submitted" else None
        self.run(
            "insert into assistance_requests (id, version, created_at, updated_at, case_id, organisation_id, kind,"
            " status, amount_minor, currency, approved_minor, decided_by, decided_at, paid_minor, payments, created_by,"
            " sealed) select %s, 1, opened_at, opened_at, id, organisation_id, 'financial', %s, 100, 'KHR', %s, %s,"
            " %s, 0, 0, %s, %s from cases where id = %s",
            own_id,
            "approved" if status == "part_paid" else status,
            100 if decided else None,
            decided,
            self.cast.clock() - LONG if decided else None,
            asked_by,
            self.sealed(made.id, "assistance_requests", own_id, words),
            made.id,
        )
        if status == "part_paid":
            self.run(
                "insert into assistance_disbursements (id, request_id, case_id, organisation_id, reference,"
                " amount_minor, method, paid_on, created_at, created_by, sealed)"
                " select %s, r.id, r.case_id, r.organisation_id, %s, 50, 'cash', '2026-03-02',"
                " r.created_at, r.created_by, %s from assistance_requests r where r.id = %s",
                payment,
                reference,
                self.sealed(made.id, "assistance_disbursements", payment, {"receipt_reference": "R-1"}),
                own_id,
            )
        made.ids |= {"assistance_request_id": str(own_id), "disbursement_id": str(payment)}
        made.ids["ledger_reference"] = str(reference)

    def put_health(self, case: str) -> None:
        """A health record of the case, whatever was recorded before."""
        case_id, row_id = self.cases[case].id, uuid4()
        self.run("delete from health_records where case_id = %s", case_id)
        ring = self._own_key(row_id, case_id, "health")
        self.run(
            "insert into health_records (id, version, created_at, updated_at, case_id, organisation_id, created_by,"
            " sealed) select %s, 1, opened_at, opened_at, id, organisation_id, created_by, %s from cases where id = %s",
            row_id,
            ring.seal("health_records", row_id, row_id, {"note": "Told us so."}),
            case_id,
        )
        self.cases[case].ids["health_id"] = str(row_id)

    def attach(self, case: str) -> None:
        """One small file, and no other."""
        case_id, row_id = self.cases[case].id, uuid4()
        self.run("delete from attachments where case_id = %s", case_id)
        ring = self._own_key(row_id, case_id, "attachment")
        self.run(
            "insert into attachments (id, version, created_at, updated_at, case_id, organisation_id, media_type, size,"
            " created_by, sealed) select %s, 1, opened_at, opened_at, id, organisation_id, 'text/plain', 6, created_by,"
            " %s from cases where id = %s",
            row_id,
            ring.seal("attachments", row_id, row_id, {"name": "letter.txt"}),
            case_id,
        )
        self.run(
            "insert into attachment_chunks (attachment_id, number, case_id, organisation_id, content)"
            " select id, 0, case_id, organisation_id, %s from attachments where id = %s",
            seal_chunk(ring.key(row_id), row_id, 0, b"Letter", last=True),
            row_id,
        )
        self.cases[case].ids["attachment_id"] = str(row_id)

    def _own_key(self, row_id: UUID, case_id: str, part: str) -> KeyRing:
        """A ring with a new key of a part of the case."""
        ring = KeyRing(self.cast.runtime.kek)
        ring.make(row_id)
        self.run(
            "insert into vault.data_keys (home, case_id, organisation_id, kek_id, wrapped, part)"
            " select %s, id, organisation_id, %s, %s, %s from cases where id = %s",
            row_id,
            *ring.wrapped(row_id),
            part,
            case_id,
        )
        return ring

    def put_import(self) -> None:
        """A checked import of the supervisor before the standard case, whatever became of it before."""
        own_id, chunk_id = UUID(self.register["import_id"]), uuid4()
        ring = KeyRing(self.cast.runtime.kek)
        ring.make(own_id)
        row = {"fields": ["alias"], "date_system": None, "rows": [[2, ["Once"]]]}
        kek_id, wrapped = ring.wrapped(own_id)
        of = {
            "id": own_id,
            "by": self.user("supervisor"),
            "session": self.session("supervisor"),
            "organisation": self.cast.organisation("ngo"),
            "now": self.cast.clock(),
            "chunk": chunk_id,
            "kek_id": kek_id,
            "wrapped": wrapped,
            "sealed": ring.seal("import_chunks", chunk_id, own_id, row),
            "report": ring.seal("import_chunks.report", chunk_id, own_id, {"rows": [[2, "ok", []]]}),
        }
        self.run("delete from imports where id = %s", own_id)
        for statement in (IMPORT_KEY, IMPORT, IMPORT_CHUNK):
            self.admin.execute(statement, of)

    def put_cohort(self) -> None:
        """The rows of a quarter, sealed with a key of their own."""
        own_id = uuid4()
        ring = KeyRing(self.cast.runtime.kek)
        ring.make(own_id)
        self.run(
            "insert into vault.data_keys (home, organisation_id, kek_id, wrapped, part)"
            " values (%s, %s, %s, %s, 'export')",
            *(own_id, own_id, *ring.wrapped(own_id)),
        )
        self.run(
            "insert into export_cohorts (id, period, starts_on, ends_on, frozen_at, cases, sealed)"
            " values (%s, '2019Q4', '2019-10-01', '2019-12-31', %s, 1, %s)",
            *(own_id, self.cast.clock(), ring.seal("export_cohorts", own_id, own_id, {"rows": {}})),
        )

    def put_transfer(self, case: str) -> None:
        """The case waits for another NGO's answer, by a consent of its own, whatever was asked before."""
        case_id, row_id, other = self.cases[case].id, uuid4(), self.cast.organisation("other_ngo")
        ring = KeyRing(self.cast.runtime.kek)
        ring.make(row_id)
        self.run("delete from vault.data_keys where case_id = %s and part = 'transfer'", case_id)
        self.run("delete from transfers where case_id = %s", case_id)
        consent_id = self._agreed(case_id, other)
        self.run(
            "insert into vault.data_keys (home, case_id, organisation_id, kek_id, wrapped, part)"
            " select %s, id, organisation_id, %s, %s, 'transfer' from cases where id = %s",
            row_id,
            *ring.wrapped(row_id),
            case_id,
        )
        self.run(
            "insert into transfers (id, version, created_at, updated_at, case_id, organisation_id, recipient_id,"
            " consent_id, code, sector, priority, status, due_at, created_by, sealed, snapshot_sealed,"
            " answer_sealed)"
            " select %s, 1, opened_at, opened_at, id, organisation_id, %s, %s, 'TR-0000-0000', 'other',"
            " 'routine', 'requested', opened_at, created_by, %s, %s, %s from cases where id = %s",
            row_id,
            other,
            consent_id,
            ring.seal("transfers", row_id, row_id, {"reason": "Told us so.", "shared_fields": ["name"]}),
            ring.seal("transfers.snapshot", row_id, row_id, {"client": {"alias": "Once"}, "priority": "routine"}),
            ring.seal("transfers.answer", row_id, row_id, {"reason": "Told us so."}),
            case_id,
        )
        self.cases[case].ids["transfer_id"] = str(row_id)

    def _agreed(self, case_id: str, organisation_id: str) -> str:
        """Her consent that this organisation is told her name; gives its id."""
        self.run(
            "insert into consents (id, version, created_at, updated_at, case_id, organisation_id, purpose,"
            " recipient_id, shared_fields, given_by, form, obtained_on, created_by)"
            " select gen_random_uuid(), 1, opened_at, opened_at, id, organisation_id,"
            " 'referral', %s, '[\"name\"]', 'client', 'verbal', opened_at, created_by from cases c"
            " where id = %s and not exists (select from consents where case_id = c.id and recipient_id = %s)",
            organisation_id,
            case_id,
            organisation_id,
        )
        standing = "select id::text from consents where case_id = %s and recipient_id = %s"
        made: str = self.one(standing, case_id, organisation_id)
        return made

    def put_referral(self, case: str, status: str = "accepted", direction: str = "out") -> None:
        """What another organisation is asked for, or (`in`) has asked, with a message; whatever was asked before."""
        case_id, other = self.cases[case].id, self.cast.organisation(REFERRED_TO[case])
        for table in ("referral_messages", "referral_snapshots", "referrals"):
            self.run(f"delete from {table} where case_id = %s", case_id)
        self.run("delete from vault.data_keys where case_id = %s and part like 'referral%%'", case_id)
        row_id, told_id, message_id = uuid4(), uuid4(), uuid4()
        both, told = self._own_key(row_id, case_id, "referral"), self._own_key(told_id, case_id, "referral_snapshot")
        words = {"service_type": "general_health", "reason": "Told us so.", "shared_fields": ["name"]}
        self.run(
            "insert into referrals (id, version, created_at, updated_at, case_id, organisation_id, partner_id,"
            " direction, code, consent_id, sector, protected, standard, province_code, priority, status, due_at,"
            " disclosed_until, created_by, sealed, open_sealed)"
            " select %s, 1, opened_at, opened_at, id, organisation_id, %s, %s, %s, %s, 'health', false,"
            " sensitivity = 'standard', '17', 'routine', %s, %s, %s, created_by, %s, %s from cases where id = %s",
            row_id,
            other,
            direction,
            f"RF-{row_id.hex[:4]}-{row_id.hex[-4:]}",
            self._agreed(case_id, other),
            status,
            self.cast.clock() + LONG,
            self.cast.clock() + LONG if status == "accepted" else None,
            self.sealed(case_id, "referrals", row_id, {**words, "message": None}),
            both.seal("referrals.open", row_id, row_id, {"service_type": "general_health"}),
            case_id,
        )
        snapshot = {"service_type": "general_health", "commune_code": COMMUNE, "message": None}
        self.run(
            "insert into referral_snapshots (id, version, created_at, updated_at, referral_id, case_id,"
            " organisation_id, sealed, contact_sealed)"
            " select %s, 1, opened_at, opened_at, %s, id, organisation_id, %s, %s from cases where id = %s",
            told_id,
            row_id,
            told.seal("referral_snapshots", told_id, told_id, {**snapshot, "disclosed": {"name": "Once"}}),
            told.seal("referral_snapshots.contact", told_id, told_id, {"safe_contact": None}),
            case_id,
        )
        self.run(
            "insert into referral_messages (id, version, created_at, updated_at, referral_id, snapshot_id, case_id,"
            " organisation_id, by_partner, created_by, sealed)"
            " select %s, 1, opened_at, opened_at, %s, %s, id, organisation_id, false, created_by, %s from cases"
            " where id = %s",
            message_id,
            row_id,
            told_id,
            told.seal("referral_messages", message_id, told_id, {"text": "Told us so."}),
            case_id,
        )
        ids = {"referral_id": row_id, "snapshot_id": told_id, "message_id": message_id}
        self.cases[case].ids |= {name: str(own_id) for name, own_id in ids.items()}

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

    def put_outside_review(self, case: str) -> None:
        """The lead's wish for somebody of another organisation, when none stands."""
        made, own_id = self.cases[case], uuid4()
        self.run(
            "insert into outside_reviews (id, case_id, organisation_id, user_id, lender_id, sealed, created_at,"
            " created_by) select %s, id, organisation_id, %s, %s, %s, opened_at, created_by from cases where id = %s"
            " on conflict do nothing",
            own_id,
            self.user("other_supervisor_standard"),
            self.cast.organisation("other_ngo"),
            self.sealed(made.id, "outside_reviews", own_id, {"reason": "Told us so."}),
            made.id,
        )
        standing = "select id::text from outside_reviews where case_id = %s and withdrawn_at is null"
        made.ids["outside_review_id"] = self.one(standing, made.id)

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
        for name in ("excluded_opener", "excluded_reviewer", "excluded_liaison", "partner_excluded"):
            await self.exclude("lead", "sensitive", name)

    async def _set_standard(self) -> None:
        await self._open("excluded_opener_standard", "standard", "id_poor")
        await self.assign("supervisor", "standard", "spare_supervisor", "lead")
        await self.assign("supervisor", "standard", "excluded_liaison_standard", "liaison")
        own = await self.assign("supervisor", "standard", "liaison_standard", "liaison")
        await self._furnish("standard", "supervisor", "supervisor", own)
        gone = (
            "excluded_opener_standard",
            "excluded_supervisor",
            "excluded_liaison_standard",
            "partner_inside_excluded",
        )
        for name in gone:
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
            "import_id": str(uuid4()),
            "service_id": await self.post("supervisor", "/services", SERVICE),
            "partner_service_id": await self.post("partner_standard", "/services", SERVICE),
            "waiting_id": str(uuid4()),  # of nobody's request
            "period": "2024Q3",
            "number": "1",
            "indicator": "families_visited",
            "export_id": str(uuid4()),
            "name": "category.csv",
            "webhook_id": str(uuid4()),
        }
        for table in ROWS:
            put_record(self, table, "staff")
        self.run(
            "insert into imported_rows (id, organisation_id, digest, created_at, created_by)"
            " values (gen_random_uuid(), %s, '', %s, %s)",
            self.cast.organisation("ngo"),
            self.cast.clock(),
            self.user("spare_supervisor"),
        )
        self.put_import()
        self.put_cohort()
        self.put_webhook("clinic")

    def put_webhook(self, organisation: str) -> None:
        """The webhook of the stage as one of this organisation, kept by somebody of it."""
        own_id = UUID(self.register["webhook_id"])
        self.run("delete from webhooks where id = %s", own_id)
        keeper = self.user("partner_standard" if organisation == "clinic" else "other_supervisor_standard")
        self.run(
            "insert into webhooks (id, version, created_at, updated_at, organisation_id, created_by, keeper_id, url,"
            " events, active, sealed) values (%s, 1, %s, %s, %s, %s, %s, 'http://127.0.0.1:9/', %s, true, %s)",
            own_id,
            *[self.cast.clock()] * 2,
            self.cast.organisation(organisation),
            *[keeper] * 2,
            ["referral.*"],
            seal_of(self.cast.runtime.keys).seal(new_secret().encode(), own_id),
        )

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
