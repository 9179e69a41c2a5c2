"""An admin alone, by any sequence of calls, reaches no case: a table of attempts, each with every step it takes.

In every attempt the admin is real, everything the API answers to the admin is known to the admin, and nobody helps.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.models.codes import Role
from app.security import Runtime
from tests.cases import open_case
from tests.cast import COMMUNE, OTHER_COMMUNE, PASSWORD, Cast, answered
from tests.doors import Newcomer, bearer, door, member, token
from tests.test_users import wanted


@dataclass
class Attempt:
    """What an admin alone has: the API, the answers so far, and every secret and session that was in one."""

    app: object
    runtime: Runtime
    cast: Cast
    victim: Newcomer  # a caseworker of the NGO, whose password the admin does not know
    liaison: Newcomer
    cases: list[str]
    answers: list[httpx.Response] = field(default_factory=list)

    @property
    def ngo(self) -> str:
        return self.cast.organisation("ngo")

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One call as the admin; gives what was answered, whatever it was."""
        client = self.cast.client("admin")
        headers = {"If-Match": "*"} | headers if method == "PATCH" else headers
        response = await client.request(method, path, json=body, headers=headers)
        self.answers.append(response)
        return response.json() if response.content else {}

    async def new(self, **changes: Any) -> dict[str, Any]:
        """Ask for a user, and try to say yes oneself."""
        made: dict[str, Any] = await self.call("POST", "/users", wanted(**changes))
        await self.call("POST", f"/users/{made['id']}/confirm")
        return made

    def secrets(self) -> set[str]:
        """Every text in every answer: each is tried as a password and as a token."""
        found: set[str] = set()

        def collect(value: Any) -> None:
            if isinstance(value, dict):
                for inner in value.values():
                    collect(inner)
            elif isinstance(value, list):
                for inner in value:
                    collect(inner)
            elif isinstance(value, str) and 8 <= len(value) <= 200 and " " not in value:
                found.add(value)

        for response in self.answers:
            if response.content:
                collect(response.json())
        return {one for one in found if not one.startswith("urn:")}


async def creates_a_caseworker(it: Attempt) -> None:
    await it.new(role="caseworker", organisation_id=it.ngo)


async def creates_a_supervisor_who_confirms_a_caseworker(it: Attempt) -> None:
    await it.new(role="supervisor", organisation_id=it.ngo)
    worker = await it.new(role="caseworker", organisation_id=it.ngo)
    await it.call("POST", f"/users/{worker['id']}/confirm")


async def creates_an_admin_who_confirms(it: Attempt) -> None:
    await it.new(role="admin")
    await it.new(role="supervisor", organisation_id=it.ngo)


async def changes_their_own_role(it: Attempt) -> None:
    own = it.cast.id("admin")
    for role in ("caseworker", "supervisor"):
        await it.call("PATCH", f"/users/{own}", {"role": role, "organisation_id": it.ngo})
        await it.call("POST", f"/users/{own}/confirm")


async def moves_an_auditor_into_the_ngo(it: Attempt) -> None:
    path = f"/users/{it.cast.id('auditor')}"
    await it.call("PATCH", path, {"organisation_id": it.ngo})
    await it.call("PATCH", path, {"role": "caseworker"})
    await it.call("POST", f"{path}/confirm")


async def moves_a_caseworker_of_another_organisation(it: Attempt) -> None:
    path = f"/users/{it.cast.id('stranger')}"
    await it.call("PATCH", path, {"organisation_id": it.ngo})
    await it.call("POST", f"{path}/confirm")


async def resets_a_caseworkers_password(it: Attempt) -> None:
    await it.call("POST", f"/users/{it.victim.id}/reset-password")
    await it.call("POST", f"/users/{it.victim.id}/confirm")


async def resets_a_caseworkers_second_factor(it: Attempt) -> None:
    await it.call("POST", f"/users/{it.victim.id}/reset-mfa")
    await it.call("POST", f"/users/{it.victim.id}/confirm")


async def gives_a_liaison_other_communes(it: Attempt) -> None:
    path = f"/users/{it.liaison.id}"
    await it.call("PATCH", path, {"communes": [COMMUNE, OTHER_COMMUNE]})
    await it.call("PATCH", path, {"username": "somebody.else"})
    await it.call("POST", f"{path}/confirm")


async def brings_a_former_caseworker_back(it: Attempt) -> None:
    path = f"/users/{it.victim.id}"
    await it.call("POST", f"{path}/deactivate")
    await it.call("PATCH", path, {"active": True})
    await it.call("POST", f"{path}/confirm")


async def founds_an_organisation_of_signatories(it: Attempt) -> None:
    body = {"name": "Own", "name_km": "អង្គការ", "kind": "ngo", "signatory": True}
    own = await it.call("POST", "/organisations", body)
    supervisor = await it.new(role="supervisor", organisation_id=own["id"])
    await it.call("PATCH", f"/users/{supervisor['id']}", {"organisation_id": it.ngo})
    await it.call("POST", f"/users/{supervisor['id']}/confirm")


async def closes_and_opens_the_organisation(it: Attempt) -> None:
    for active in (False, True):
        await it.call("PATCH", f"/organisations/{it.ngo}", {"active": active})
        await it.new(role="supervisor", organisation_id=it.ngo)


async def makes_the_organisation_another(it: Attempt) -> None:
    clinic = it.cast.organisation("clinic")
    for change in ({"kind": "ngo"}, {"signatory": True}):
        await it.call("PATCH", f"/organisations/{clinic}", change)
    await it.new(role="partner", organisation_id=clinic)


async def makes_systems(it: Attempt) -> None:
    for name in ("clinic", "ngo", "council"):
        await it.call("POST", f"/organisations/{it.cast.organisation(name)}/clients", {"name": "EMR"})


async def steps_up_with_somebody_elses_password(it: Attempt) -> None:
    for password in ("a guess of twelve", it.victim.username):
        await it.call("POST", "/auth/step-up", {"password": password})
    await creates_a_caseworker(it)


async def changes_somebody_elses_factors(it: Attempt) -> None:
    for path in (f"/users/{it.victim.id}/password", f"/users/{it.victim.id}/totp", "/me/password"):
        await it.call("PUT", path, {"current_password": "unknown to us", "new_password": "four words of ours"})
    await it.call("GET", "/auth/sessions")
    await it.call("DELETE", f"/auth/sessions/{it.cast.sessions['caseworker']}")


async def excludes_the_lead_and_assigns_themselves(it: Attempt) -> None:
    own = it.cast.id("admin")
    for case_id in it.cases:
        await it.call("POST", f"/cases/{case_id}/exclusions", {"user_id": it.victim.id, "reason_code": "client_wish"})
        for role in ("caseworker", "lead", "reviewer"):
            await it.call("POST", f"/cases/{case_id}/assignments", {"user_id": own, "role": role})


async def swaps_what_is_being_confirmed(it: Attempt) -> None:
    made = await it.new(role="auditor")
    await it.call("PATCH", f"/users/{made['id']}", {"role": "supervisor", "organisation_id": it.ngo})
    await it.call("POST", f"/users/{made['id']}/confirm")


async def repeats_a_confirmation_of_another_with_its_key(it: Attempt) -> None:
    await it.call("POST", f"/users/{it.victim.id}/reset-password")
    key = {"Idempotency-Key": f"yes-{it.victim.id}"}
    await it.cast.client("supervisor").post(f"/users/{it.victim.id}/confirm", headers=key)
    await it.call("POST", f"/users/{it.victim.id}/confirm", None, **key)
    await it.call("GET", f"/users/{it.victim.id}")
    await it.call("GET", "/me/notices")


async def says_yes_through_a_system_of_the_partner(it: Attempt) -> None:
    """Whose secret is shown to the admin; the partner's people are reset, invited and moved by it."""
    clinic, client = it.cast.organisation("clinic"), door(it.app)
    made = await it.call("POST", f"/organisations/{clinic}/clients", {"name": "Records"})
    form = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"]}
    system = bearer(answered(await token(client, form), 200))
    nurse = await member(it.runtime, Role.PARTNER, it.cast.organisations["clinic"])
    invited = await it.call("POST", "/users", wanted(role="partner", organisation_id=clinic))
    for user_id, asked in ((nurse.id, "reset-password"), (nurse.id, "reset-mfa"), (invited["id"], None)):
        if asked is not None:
            await it.call("POST", f"/users/{user_id}/{asked}")
        yes = await client.post(f"/users/{user_id}/confirm", headers=system)
        it.answers.append(yes)
        answered(yes, 404)
    notices = answered(await client.get("/me/notices", headers=system), 200)["items"]
    assert not [one for one in notices if one["may_confirm"]]


ATTEMPTS: list[Callable[[Attempt], Awaitable[None]]] = [
    creates_a_caseworker,
    creates_a_supervisor_who_confirms_a_caseworker,
    creates_an_admin_who_confirms,
    changes_their_own_role,
    moves_an_auditor_into_the_ngo,
    moves_a_caseworker_of_another_organisation,
    resets_a_caseworkers_password,
    resets_a_caseworkers_second_factor,
    gives_a_liaison_other_communes,
    brings_a_former_caseworker_back,
    founds_an_organisation_of_signatories,
    closes_and_opens_the_organisation,
    makes_the_organisation_another,
    makes_systems,
    says_yes_through_a_system_of_the_partner,
    steps_up_with_somebody_elses_password,
    changes_somebody_elses_factors,
    excludes_the_lead_and_assigns_themselves,
    swaps_what_is_being_confirmed,
    repeats_a_confirmation_of_another_with_its_key,
]


@pytest.fixture
async def it(app: object, runtime: Runtime, cast: Cast) -> Attempt:
    """A case of each kind, a caseworker and a liaison who sign in with passwords of their own."""
    victim = await member(runtime, Role.CASEWORKER, cast.organisations["ngo"])
    liaison = await member(runtime, Role.CCWC_LIAISON, cast.organisations["council"])
    cases = [await open_case(cast), await open_case(cast, category="domestic_violence")]
    return Attempt(app, runtime, cast, victim, liaison, cases)


async def sessions_of_the_admin(it: Attempt) -> list[dict[str, str]]:
    """Every session that the admin gets with what was in the answers, as any user that was named in one."""
    names = {it.victim.username, it.liaison.username}
    secrets = it.secrets()
    for response in it.answers:
        body = response.json() if response.content else {}
        names |= {str(body[name]) for name in ("username", "client_id") if isinstance(body, dict) and name in body}
    issued = {one for one in secrets if one.count("-") == 3 or len(one) == 43}  # as our passwords and secrets look
    opened: list[dict[str, str]] = []
    for name in sorted(names):
        for secret in sorted(issued | {PASSWORD}):
            person = {"grant_type": "password", "username": name, "password": secret}
            system = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
            for form in (person, system):
                answer = await token(door(it.app), form)
                if answer.status_code == 200:
                    opened.append(bearer(answer.json()))
    return opened


async def reaches_a_case(it: Attempt, client: httpx.AsyncClient, headers: dict[str, str]) -> list[str]:
    """What answers with a case, or admits that there is one."""
    paths = [f"/cases/{case_id}{rest}" for case_id in it.cases for rest in ("", "/notes", "/people", "/timeline")]
    found = [path for path in paths if (await client.get(path, headers=headers)).status_code not in {401, 403, 404}]
    for path in ("/cases", "/caseload", "/cases/counts", "/people"):
        answer = await client.get(path, headers=headers)
        if answer.status_code == 200 and (answer.json().get("items") or answer.json().get("total")):
            found.append(path)
    return found


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda one: one.__name__)
async def test_an_admin_alone_reaches_no_case(it: Attempt, attempt: Callable[[Attempt], Awaitable[None]]) -> None:
    await attempt(it)
    assert it.answers
    assert await reaches_a_case(it, it.cast.client("admin"), {}) == []
    me = answered(await it.cast.client("admin").get("/me"), 200)
    assert me["role"] == "admin"
    for headers in await sessions_of_the_admin(it):
        assert await reaches_a_case(it, door(it.app), headers) == []
    for response in it.answers:
        assert "initial_password" not in response.text
    # Whose rights the admin would borrow has none more than before: the liaison was given no commune.
    shown = answered(await it.cast.client("admin").get(f"/users/{it.liaison.id}"), 200)
    assert shown["communes"] == []


async def test_the_table_would_notice_a_way_in(it: Attempt) -> None:
    """With the password of a caseworker the same questions do find cases."""
    headers = bearer(answered(await token(door(it.app), it.victim.grant()), 200))
    assert f"/cases/{it.cases[0]}" in await reaches_a_case(it, door(it.app), headers)
    assert str(uuid4()) not in it.secrets()
