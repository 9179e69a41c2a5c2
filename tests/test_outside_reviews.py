"""Where an organisation has nobody who could decide, a supervisor of another signatory organisation does.

The lead asks for her by name, an admin who learns nothing of the case completes it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from app.models.codes.people import Role
from tests.acts import SENSITIVE, assign, break_glass, exclude, lift, listed, newcomer, status_of, total
from tests.cases import intake, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.helping import ask as ask_for_help
from tests.helping import decide
from tests.test_worklist import worklist

Superuser = psycopg.Connection[Any]
REASON = "Our supervisor is his sister."
CLOSURE = {"reason": "needs_met", "informed_can_return": True}


@dataclass
class Office:
    """An organisation with one supervisor, and a supervisor of a signatory one who might help."""

    cast: Cast
    organisation: str
    lead: str
    worker: str
    supervisor: str
    guest: str

    async def ask(self, case_id: str, status: int = 201, *, who: str | None = None, user: str | None = None) -> Any:
        """The lead asks for the guest."""
        body = {"user_id": self.cast.id(user or self.guest), "reason": REASON}
        path = f"/cases/{case_id}/outside-reviews"
        return answered(await self.cast.client(who or self.lead).post(path, json=body), status)

    async def waiting(self, who: str = "admin") -> dict[str, Any]:
        """What an admin may complete, of this organisation."""
        found = await listed(self.cast, who, "/outside-reviews")
        return {one["id"]: one for one in found if one["organisation_id"] == self.organisation}

    async def complete(self, asked: Any, status: int = 204, who: str = "admin") -> Any:
        path = f"/outside-reviews/{asked['id']}/complete"
        return answered(await self.cast.client(who).post(path), status)

    async def lent(self, case_id: str) -> Any:
        """A case on which the guest is the reviewer."""
        asked = await self.ask(case_id)
        await self.complete(asked)
        return asked

    async def step(self, who: str, case_id: str, to: str, status: int = 200, **more: Any) -> Any:
        body = {"to": to, "reason": "As agreed.", **more}
        return answered(await self.cast.client(who).post(f"/cases/{case_id}/transitions", json=body), status)


@pytest.fixture
async def office(cast: Cast) -> Office:
    wanted = {"name": f"Small {uuid4().hex[:6]}", "name_km": "តូច", "kind": "ngo"}
    made: str = answered(await cast.client("admin").post("/organisations", json=wanted), 201)["id"]
    cast.organisations[made] = UUID(made)
    lead, worker = [await newcomer(cast, Role.CASEWORKER, made) for _ in range(2)]
    supervisor = await newcomer(cast, Role.SUPERVISOR, made)
    return Office(cast, made, lead, worker, supervisor, await newcomer(cast, Role.SUPERVISOR, "ngo"))


async def without_supervisor(office: Office, category: str = SENSITIVE) -> str:
    """A case from which the only supervisor is kept away."""
    case_id = await open_case(office.cast, office.lead, category)
    await exclude(office.cast, office.lead, case_id, office.supervisor)
    return case_id


async def closing(office: Office, who: str) -> str:
    """A case that this person leads and asks to close."""
    cast = office.cast
    case_id = await open_case(cast, who, "marital_issue")
    await office.step(who, case_id, "assessment")
    await office.step(who, case_id, "closure_requested", closure=CLOSURE)
    for one in await listed(cast, who, f"/cases/{case_id}/follow-ups"):
        path = f"/cases/{case_id}/follow-ups/{one['id']}"
        answered(await cast.client(who).delete(path, headers={"If-Match": "*"}), 204)
    return case_id


# ---- what it is for ----


async def test_where_the_only_supervisor_asked_for_the_closure_one_of_another_organisation_decides_it(
    office: Office,
) -> None:
    cast = office.cast
    case_id = await closing(office, office.supervisor)
    await office.step(office.supervisor, case_id, "closed", 403)
    asked = await office.ask(case_id, who=office.supervisor)
    assert await status_of(cast, office.guest, case_id) == 404
    await office.complete(asked)
    seen = answered(await cast.client(office.guest).get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "reviewer", "mode": "contribute"}
    assert case_id in {one["id"] for one in await listed(cast, office.guest, "/cases")}
    (item,) = [one for one in await worklist(cast, office.guest) if one["case_id"] == case_id]
    assert item["kind"] == "closure_review"
    await office.step(office.guest, case_id, "closed")
    assert answered(await cast.client(office.guest).get(f"/cases/{case_id}"), 200)["status"] == "closed"


async def test_where_the_only_supervisor_leads_what_a_colleague_asks_to_close_one_of_another_organisation_decides(
    office: Office,
) -> None:
    """She would lose the lead by reviewing, and who leads a sensitive case does not decide its closure."""
    cast = office.cast
    case_id = await open_case(cast, office.supervisor, "marital_issue")
    await assign(cast, office.supervisor, case_id, office.worker, "caseworker")
    await office.step(office.supervisor, case_id, "assessment")
    await office.ask(case_id, 409, who=office.supervisor)
    await office.step(office.worker, case_id, "closure_requested", closure=CLOSURE)
    await office.complete(await office.ask(case_id, who=office.supervisor))


async def test_where_the_only_supervisor_asked_for_money_one_of_another_organisation_decides(office: Office) -> None:
    cast = office.cast
    for category in (SENSITIVE, "id_poor"):
        case_id = await open_case(cast, office.supervisor, category)
        await office.ask(case_id, 409, who=office.supervisor)
        one = await ask_for_help(cast, case_id, office.supervisor)
        asked = await office.ask(case_id, who=office.supervisor)
        await decide(cast, one, office.guest, 404)
        await office.complete(asked)
        kinds = [item["kind"] for item in await worklist(cast, office.guest) if item["subject_id"] == one["id"]]
        assert kinds == ["approval"], category
        assert (await decide(cast, one, office.guest))["status"] == "approved"


async def test_the_second_yes_above_the_ceiling_comes_from_elsewhere_too_and_never_from_who_gave_the_first(
    office: Office, superuser: Superuser
) -> None:
    cast = office.cast
    superuser.execute("update organisations set assistance_ceiling_khr_minor = 10 where id = %s", [office.organisation])
    case_id = await open_case(cast, office.lead)
    one = await ask_for_help(cast, case_id, office.lead)
    await office.ask(case_id, 409)
    assert (await decide(cast, one, office.supervisor))["awaiting_second"]
    await office.lent(case_id)
    assert (await decide(cast, one, office.guest))["status"] == "approved"
    # Who came for the first yes of a request by the only supervisor does not give the second; another is asked for.
    other = await open_case(cast, office.supervisor)
    one = await ask_for_help(cast, other, office.supervisor)
    await office.complete(await office.ask(other, who=office.supervisor))
    await office.ask(other, 409, who=office.supervisor)
    assert (await decide(cast, one, office.guest))["awaiting_second"]
    await decide(cast, one, office.guest, 403)
    second = await newcomer(cast, Role.SUPERVISOR, "ngo")
    await office.complete(await office.ask(other, who=office.supervisor, user=second))
    assert (await decide(cast, one, second))["status"] == "approved"


async def test_where_the_only_supervisor_broke_the_glass_one_of_another_organisation_reviews_it(
    office: Office, superuser: Superuser
) -> None:
    cast = office.cast
    case_id = await open_case(cast, office.lead, SENSITIVE)
    await office.ask(case_id, 409)
    grant = await break_glass(cast, superuser, case_id, office.supervisor)
    said, path = {"finding": "justified", "note": "He had come back."}, f"/break-glass/{grant['id']}"
    asked = await office.ask(case_id)
    for answer in (await cast.client(office.guest).get(path), await cast.client(office.guest).post(f"{path}/review")):
        answered(answer, 404)
    await office.complete(asked)
    assert answered(await cast.client(office.guest).get(path), 200)["reason"] == grant["reason"]
    assert grant["id"] in [item["subject_id"] for item in await worklist(cast, office.guest)]
    answered(await cast.client(office.supervisor).post(f"{path}/review", json=said), 403)
    read = answered(await cast.client(office.guest).post(f"{path}/review", json=said), 200)
    assert (read["reviewed_by"]["id"], read["finding"]) == (cast.id(office.guest), "justified")
    told = answered(await cast.client(office.lead).get(f"/cases/{case_id}/timeline"), 200)["items"]
    assert "break_glass.reviewed" in [event["type"] for event in told]


async def test_where_the_only_supervisor_is_kept_away_one_of_another_organisation_reviews_danger_and_death(
    office: Office,
) -> None:
    cast = office.cast
    case_id = await without_supervisor(office)
    risk = {"level": "high", "reason": "What she told us."}
    answered(await cast.client(office.lead).post(f"/cases/{case_id}/risk", json=risk), 201)
    await office.lent(case_id)
    items = [one for one in await worklist(cast, office.guest) if one["case_id"] == case_id]
    (item,) = [one for one in items if one["kind"] == "needs_review"]
    path = f"/cases/{case_id}/risk-history/{item['subject_id']}/review"
    answered(await cast.client(office.guest).post(path, json={"note": "Seen."}), 200)
    closure = {"reason": "died", "informed_can_return": "not_possible"}
    await office.step(office.lead, case_id, "assessment")
    await office.step(office.lead, case_id, "closure_requested", closure=closure)
    waiting = {item["kind"] for item in await worklist(cast, office.guest) if item["case_id"] == case_id}
    assert {"needs_review", "closure_review"} <= waiting
    answered(await cast.client(office.guest).post(f"/cases/{case_id}/death-review", json={"note": "Seen."}), 200)


async def test_who_comes_from_elsewhere_oversees_the_case_like_every_reviewer_and_is_told_why(office: Office) -> None:
    cast = office.cast
    case_id = await without_supervisor(office)
    asked = await office.lent(case_id)
    guest = cast.client(office.guest)
    read = answered(await guest.get(f"/cases/{case_id}/outside-reviews/{asked['id']}"), 200)
    assert (read["reason"], read["user"]["id"]) == (REASON, cast.id(office.guest))
    (exclusion,) = answered(await guest.get(f"/cases/{case_id}/exclusions"), 200)["items"]
    assert exclusion["user_id"] == cast.id(office.supervisor)
    answered(await guest.get(f"/cases/{case_id}/access-report"), 200)
    await exclude(cast, office.guest, case_id, office.worker)
    successor = await newcomer(cast, Role.CASEWORKER, office.organisation)
    await assign(cast, office.guest, case_id, successor, "caseworker")
    for private in ("health", "attachments"):
        assert await status_of(cast, office.guest, case_id, f"/{private}") == 403, private
    # Neither another of her organisation, nor herself for longer.
    for user in (office.guest, await newcomer(cast, Role.SUPERVISOR, "ngo")):
        body = {"user_id": cast.id(user), "role": "reviewer", "reason": "Once more."}
        answered(await guest.post(f"/cases/{case_id}/assignments", json=body), 422)
    # Of two who lift an exclusion she is the supervisor.
    await lift(cast, office.lead, case_id, exclusion["id"])
    await lift(cast, office.guest, case_id, exclusion["id"])
    assert await status_of(cast, office.supervisor, case_id) == 404
    assert case_id in [one["id"] for one in await listed(cast, office.supervisor, "/caseload")]


# ---- what it is not ----


async def test_nobody_comes_while_another_supervisor_of_the_organisation_could_act(office: Office) -> None:
    cast = office.cast
    case_id = await closing(office, office.supervisor)
    other = await newcomer(cast, Role.SUPERVISOR, office.organisation)
    await office.ask(case_id, 409, who=office.supervisor)
    await exclude(cast, office.supervisor, case_id, other)
    asked = await office.ask(case_id, who=office.supervisor)
    assert set(await office.waiting()) == {asked["id"]}
    # Somebody new could act by the time of the admin's yes.
    third = await newcomer(cast, Role.SUPERVISOR, office.organisation)
    assert await office.waiting() == {}
    await office.complete(asked, 404)
    await exclude(cast, office.supervisor, case_id, third)
    await office.complete(asked)


async def test_supervisors_who_are_gone_caseworkers_and_those_of_other_organisations_do_not_count(
    office: Office, superuser: Superuser
) -> None:
    case_id = await open_case(office.cast, office.lead, SENSITIVE)
    await office.ask(case_id, 409)
    superuser.execute("update users set active = false where id = %s", [office.cast.id(office.supervisor)])
    await office.ask(case_id)


async def test_what_waits_on_another_case_needs_nobody_here(office: Office) -> None:
    cast = office.cast
    await closing(office, office.supervisor)
    await ask_for_help(cast, await open_case(cast, office.supervisor), office.supervisor)
    await without_supervisor(office)
    await office.ask(await open_case(cast, office.lead, SENSITIVE), 409)


async def test_what_is_decided_needs_nobody_any_more(office: Office, superuser: Superuser) -> None:
    cast = office.cast
    case_id = await open_case(cast, office.supervisor)
    one = await ask_for_help(cast, case_id, office.supervisor)
    asked = await office.ask(case_id, who=office.supervisor)
    answered(
        await cast.client(office.supervisor).post(
            f"/assistance-requests/{one['id']}/withdraw", json={"reason": "No longer needed."}
        ),
        200,
    )
    await office.complete(asked, 404)
    case_id = await open_case(cast, office.lead, SENSITIVE)
    grant = await break_glass(cast, superuser, case_id, office.supervisor)
    asked = await office.ask(case_id)
    superuser.execute("update break_glass_grants set reviewed_at = created_at where id = %s", [grant["id"]])
    await office.complete(asked, 404)


async def test_the_closure_of_a_standard_case_is_decided_at_home(office: Office) -> None:
    cast = office.cast
    case_id = await open_case(cast, office.supervisor)
    await office.step(office.supervisor, case_id, "assessment")
    await office.step(office.supervisor, case_id, "closure_requested", closure=CLOSURE)
    await office.ask(case_id, 409, who=office.supervisor)


async def test_only_an_active_supervisor_of_another_active_signatory_organisation_is_asked_for(
    office: Office, superuser: Superuser
) -> None:
    cast = office.cast
    case_id = await without_supervisor(office)
    for wrong in ("caseworker", "partner", "admin", "liaison", "other_supervisor", office.supervisor, office.worker):
        await office.ask(case_id, 422, user=wrong)
    gone = await newcomer(cast, Role.SUPERVISOR, "ngo")
    superuser.execute("update users set active = false where id = %s", [cast.id(gone)])
    await office.ask(case_id, 422, user=gone)
    # Also where the own one signed too: another supervisor of it who is kept away is no way around that.
    superuser.execute("update organisations set signatory = true where id = %s", [office.organisation])
    await office.ask(case_id, 422, user=office.supervisor)
    await office.ask(case_id)


async def test_the_organisation_of_who_comes_still_belongs_to_it_at_the_admins_yes(
    office: Office, superuser: Superuser
) -> None:
    cast = office.cast
    lender, case_id = await lender_of(office), await without_supervisor(office)
    asked = await office.ask(case_id, user=lender.user)
    for change in ("signatory = false", "active = false"):
        superuser.execute(f"update organisations set {change} where id = %s", [lender.organisation])
        assert await office.waiting() == {}, change
        superuser.execute(
            "update organisations set signatory = true, active = true where id = %s", [lender.organisation]
        )
    superuser.execute("update users set role = 'caseworker' where id = %s", [cast.id(lender.user)])
    await office.complete(asked, 404)
    # Moved to another signatory organisation: it was not asked for there.
    elsewhere = [cast.organisation("ngo"), cast.id(lender.user)]
    superuser.execute("update users set role = 'supervisor', organisation_id = %s where id = %s", elsewhere)
    await office.complete(asked, 404)
    back = [lender.organisation, cast.id(lender.user)]
    superuser.execute("update users set organisation_id = %s where id = %s", back)
    await office.complete(asked)


@dataclass
class Lender:
    organisation: str
    user: str


async def lender_of(office: Office) -> Lender:
    """A signatory organisation of its own, with one supervisor."""
    cast, wanted = office.cast, {"name": f"Lends {uuid4().hex[:6]}", "name_km": "ជួយ", "kind": "ngo", "signatory": True}
    made: str = answered(await cast.client("admin").post("/organisations", json=wanted), 201)["id"]
    cast.organisations[made] = UUID(made)
    return Lender(made, await newcomer(cast, Role.SUPERVISOR, made))


async def test_who_is_kept_away_from_the_case_does_not_come_and_leaves_at_once_when_it_is_known_later(
    office: Office,
) -> None:
    cast = office.cast
    case_id = await without_supervisor(office)
    exclusion = await exclude(cast, office.lead, case_id, office.guest)
    await office.ask(case_id, 409)
    second = await newcomer(cast, Role.SUPERVISOR, "ngo")
    asked = await office.ask(case_id, user=second)
    await exclude(cast, office.lead, case_id, second)
    assert await office.waiting() == {}
    await office.complete(asked, 404)
    third = await newcomer(cast, Role.SUPERVISOR, "ngo")
    await office.complete(await office.ask(case_id, user=third))
    assert await status_of(cast, third, case_id) == 200
    await exclude(cast, office.lead, case_id, third)
    assert await status_of(cast, third, case_id) == 404
    assert exclusion["user_id"] == cast.id(office.guest)


async def test_a_name_that_is_the_perpetrators_does_not_come(office: Office) -> None:
    """Whom the screening meets is kept away like anybody else."""
    cast = office.cast
    case_id = await without_supervisor(office)
    phone = f"+85512{uuid4().int % 1_000_000:06}"
    path, headers = f"/users/{cast.id(office.guest)}", {"If-Match": "*"}
    answered(await cast.client("admin").patch(path, json={"phones": [phone]}, headers=headers), 200)
    told = {"perpetrators": [{"phones": [phone]}]}
    answered(await cast.client(office.lead).post(f"/cases/{case_id}/incidents", json=told), 201)
    await office.ask(case_id, 409)


async def test_only_the_lead_asks_and_only_the_lead_takes_it_back(office: Office) -> None:
    cast = office.cast
    case_id = await without_supervisor(office)
    await assign(cast, office.lead, case_id, office.worker, "caseworker")
    await office.ask(case_id, 403, who=office.worker)
    await office.ask(case_id, 404, who=office.supervisor)
    await office.ask(case_id, 404, who="stranger")
    asked = await office.ask(case_id)
    path = f"/cases/{case_id}/outside-reviews/{asked['id']}"
    answered(await cast.client(office.worker).get(path), 403)
    answered(await cast.client(office.worker).delete(path), 403)
    answered(await cast.client(office.lead).delete(path), 204)
    assert answered(await cast.client(office.lead).get(path), 200)["withdrawn_at"] is not None
    answered(await cast.client(office.lead).delete(path), 409)
    await office.complete(asked, 404)
    # Another wish takes the place of the first; what is completed is not taken back.
    first, second = await office.ask(case_id), await office.ask(case_id)
    assert set(await office.waiting()) == {second["id"]}
    await office.complete(first, 404)
    await office.complete(second)
    await office.complete(second, 404)
    done = f"/cases/{case_id}/outside-reviews/{second['id']}"
    answered(await cast.client(office.lead).delete(done), 409)
    assert answered(await cast.client(office.lead).get(done), 200)["assignment_id"] is not None
    # The timeline says that somebody was asked for, and not why: it may tell who is kept away.
    events = answered(await cast.client(office.worker).get(f"/cases/{case_id}/timeline"), 200)["items"]
    said = [(event["data"], event["reason"]) for event in events if event["type"].startswith("outside_review")]
    assert said
    assert all(one == ({"user_id": cast.id(office.guest)}, None) for one in said)


async def test_the_wish_of_who_led_the_case_once_is_no_wish_of_its_lead(office: Office) -> None:
    cast = office.cast
    case_id = await without_supervisor(office)
    asked = await office.ask(case_id)
    await assign(cast, office.lead, case_id, office.worker, "lead")
    assert await office.waiting() == {}
    await office.complete(asked, 404)


async def test_a_wish_is_of_its_own_case(office: Office) -> None:
    asked = await office.ask(await without_supervisor(office))
    other = await open_case(office.cast, office.lead, SENSITIVE)
    assert await status_of(office.cast, office.lead, other, f"/outside-reviews/{asked['id']}") == 404


async def test_the_admin_learns_who_asks_for_whom_since_when_and_nothing_of_the_case(
    office: Office, superuser: Superuser
) -> None:
    cast = office.cast
    case_id = await without_supervisor(office)
    asked = await office.ask(case_id)
    (item,) = (await office.waiting()).values()
    assert item == {
        "id": asked["id"],
        "organisation_id": office.organisation,
        "organisation": item["organisation"],
        "user": {"id": cast.id(office.guest), "display_name": item["user"]["display_name"]},
        "requested_at": asked["requested_at"],
    }
    for who in (office.lead, office.supervisor, office.guest, "auditor", "partner", "liaison"):
        answered(await cast.client(who).get("/outside-reviews"), 403)
        await office.complete(asked, 403, who)
    answer = await cast.client("admin").post(f"/outside-reviews/{asked['id']}/complete")
    assert (answer.status_code, answer.content) == (204, b"")
    assert case_id not in str(answer.headers)
    trail = superuser.execute(
        "select case_ids from audit_events where actor_id = %s and action = 'complete_outside_review'",
        [cast.id("admin")],
    ).fetchall()
    assert trail
    assert all(not ids for (ids,) in trail)
    assert await status_of(cast, "admin", case_id) == 403


async def test_both_prove_anew_who_they_are(office: Office) -> None:
    cast, clock = office.cast, office.cast.clock
    case_id = await without_supervisor(office)
    clock.advance(minutes=6)
    body = {"user_id": cast.id(office.guest), "reason": REASON}
    calls = (
        (office.lead, f"/cases/{case_id}/outside-reviews", body),
        ("admin", f"/outside-reviews/{(await office.ask(case_id))['id']}/complete", None),
    )
    clock.advance(minutes=6)
    for who, path, sent in calls:
        token, _ = cast.runtime.tokens.issue(cast.users[who].id, cast.sessions[who], clock())
        answer = await cast.client("nobody").post(path, json=sent, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "step_up_required"), who


async def test_after_seven_days_or_when_she_moves_she_sees_nothing_any_more(
    office: Office, clock: FrozenClock, superuser: Superuser
) -> None:
    cast = office.cast
    case_id = await without_supervisor(office)
    before = await total(cast, office.guest)
    asked = await office.lent(case_id)
    (made,) = [
        one for one in await listed(cast, office.lead, f"/cases/{case_id}/assignments") if one["role"] == "reviewer"
    ]
    assert datetime.fromisoformat(made["until"]) == clock() + timedelta(days=7)
    read = answered(await cast.client(office.lead).get(f"/cases/{case_id}/outside-reviews/{asked['id']}"), 200)
    assert (made["id"], made["user_id"]) == (read["assignment_id"], cast.id(office.guest))
    await office.ask(case_id, 409)
    clock.advance(days=6, hours=23)
    assert await status_of(cast, office.guest, case_id) == 200
    clock.advance(hours=1)
    assert await status_of(cast, office.guest, case_id) == 404
    assert await total(cast, office.guest) == before
    await exclude(cast, office.guest, case_id, office.worker, 404)
    await office.lent(case_id)
    assert await status_of(cast, office.guest, case_id) == 200
    answered(await cast.client("admin").get(f"/users/{cast.id(office.guest)}"), 200)
    superuser.execute("select set_config('samaki.now', %s, false)", [clock().isoformat()])
    superuser.execute(
        "update users set organisation_id = %s where id = %s", [cast.organisation("other_ngo"), cast.id(office.guest)]
    )
    assert await status_of(cast, office.guest, case_id) == 404


async def test_who_comes_to_one_case_oversees_no_other_of_that_organisation(
    office: Office, superuser: Superuser
) -> None:
    cast = office.cast
    other, standard = await open_case(cast, office.lead, SENSITIVE), await open_case(cast, office.lead)
    grant = await break_glass(cast, superuser, other, office.worker)
    await office.lent(await without_supervisor(office))
    for case_id in (other, standard):
        assert await status_of(cast, office.guest, case_id) == 404
        await exclude(cast, office.guest, case_id, office.worker, 404)
    answered(await cast.client(office.guest).get(f"/break-glass/{grant['id']}"), 404)
    assert not {other, standard} & {one["id"] for one in await listed(cast, office.guest, "/caseload")}


async def test_an_erased_case_keeps_no_wish(office: Office, superuser: Superuser) -> None:
    cast = office.cast
    case_id = await without_supervisor(office)
    await office.lent(case_id)
    wish = {"reason_code": "client_wish", "reason": "She asked for it."}
    answered(await cast.client(office.lead).post(f"/cases/{case_id}/erasure", json=wish), 201)
    answered(await cast.client(office.guest).post(f"/cases/{case_id}/erasure/confirm"), 204)
    left = superuser.execute("select from outside_reviews where case_id = %s", [case_id]).fetchall()
    assert left == []


async def test_nobody_writes_by_the_databases_role_that_it_was_completed(office: Office, superuser: Superuser) -> None:
    """Else a lead alone could let anybody of another organisation in."""
    cast = office.cast
    case_id = await without_supervisor(office)
    sent = {
        "case_id": case_id,
        "organisation_id": office.organisation,
        "user_id": cast.id(office.guest),
        "lender_id": cast.organisation("ngo"),
        "sealed": b"",
        "created_at": cast.clock(),
        "created_by": cast.id(office.lead),
    }
    for more in ({}, {"assignment_id": str(uuid4())}, {"completed_at": cast.clock()}, {"created_by": cast.id("admin")}):
        row = {"id": str(uuid4()), **sent, **more}
        async with cast.runtime.database.transaction() as session:
            connection = await session.connection()
            await connection.exec_driver_sql(
                "select from begin_request(%s, %s)", (cast.sessions[office.lead], cast.clock())
            )
            statement = f"insert into outside_reviews ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})"
            if more:
                with pytest.raises(Exception, match="row-level security"):
                    await connection.exec_driver_sql(statement, tuple(row.values()))
            else:
                await connection.exec_driver_sql(statement, tuple(row.values()))
            await session.rollback()


# ---- where nobody is left to ask ----


def stranded(superuser: Superuser, office: Office) -> int:
    """What the numbers at /metrics say."""
    superuser.execute("select set_config('samaki.now', %s, false)", [office.cast.clock().isoformat()])
    found = superuser.execute("select stranded_cases()").fetchone()
    assert found is not None
    return int(found[0])


def leaves(superuser: Superuser, office: Office, *who: str) -> None:
    superuser.execute("select set_config('samaki.now', %s, false)", [office.cast.clock().isoformat()])
    superuser.execute("update users set active = false where id = any(%s)", [[office.cast.id(one) for one in who]])


async def brought(office: Office, *excluded: str) -> httpx.Response:
    """A liaison brings a case to the office and says who must never see it."""
    named = [office.cast.id(one) for one in excluded]
    body = intake(SENSITIVE, organisation_id=office.organisation, excluded_user_ids=named)
    return await office.cast.client("liaison").post("/cases", json=body)


async def test_nobody_brings_a_case_to_where_by_her_own_words_nobody_is_left_to_see_it(office: Office) -> None:
    refused = answered(await brought(office, office.supervisor, office.worker), 422)
    assert [(one["pointer"], one["code"]) for one in refused["errors"]] == [("/excluded_user_ids", "nobody_left")]
    answered(await brought(office, office.worker, office.guest), 201)
    second = await newcomer(office.cast, Role.SUPERVISOR, office.organisation)
    case_id = answered(await brought(office, office.supervisor), 201)["id"]
    assert await status_of(office.cast, second, case_id) == 200
    assert await status_of(office.cast, office.supervisor, case_id) == 404
    answered(await brought(office, office.supervisor, second), 422)


async def test_who_leads_the_case_herself_may_exclude_every_supervisor(office: Office) -> None:
    body = intake(SENSITIVE, excluded_user_ids=[office.cast.id(office.supervisor)])
    answered(await office.cast.client(office.lead).post("/cases", json=body), 201)


async def test_what_nobody_can_find_a_lead_for_is_counted_until_a_second_supervisor_has_an_account(
    office: Office, superuser: Superuser
) -> None:
    cast, second = office.cast, await newcomer(office.cast, Role.SUPERVISOR, office.organisation)
    before = stranded(superuser, office)
    case_id = answered(await brought(office, office.supervisor), 201)["id"]
    answered(await brought(office), 201)
    await without_supervisor(office)  # somebody leads it
    assert stranded(superuser, office) == before
    leaves(superuser, office, second)
    assert stranded(superuser, office) == before + 1
    third = await newcomer(cast, Role.SUPERVISOR, office.organisation)
    assert stranded(superuser, office) == before
    assert await status_of(cast, third, case_id) == 200


async def test_what_is_closed_or_erased_and_what_another_organisation_oversees_is_not_counted(
    office: Office, superuser: Superuser
) -> None:
    now, before = office.cast.clock(), stranded(superuser, office)
    lent, closed, erased = [await without_supervisor(office) for _ in range(3)]
    await office.lent(lent)
    leaves(superuser, office, office.lead)
    assert stranded(superuser, office) == before + 2
    superuser.execute("update cases set status = 'closed', closed_at = %s where id = %s", [now, closed])
    assert stranded(superuser, office) == before + 1
    superuser.execute("update cases set erased_at = %s where id = %s", [now, erased])
    assert stranded(superuser, office) == before
    over = "update assignments set ended_at = %s where case_id = %s and role = 'reviewer'"
    superuser.execute(over, [now, lent])
    assert stranded(superuser, office) == before + 1
