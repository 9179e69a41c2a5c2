"""An admin alone, by any sequence of calls, reaches no case and no referral: a table of attempts.

Each is written with every step it takes. In every attempt the admin is real, everything the API answers to the admin is
known to the admin, and nobody helps.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.models.codes.people import Role
from app.security import Runtime
from tests.cases import open_case
from tests.cast import COMMUNE, OTHER_COMMUNE, PASSWORD, Cast, answered
from tests.confirmations import credentials, working_system
from tests.doors import Newcomer, bearer, door, member, token
from tests.helping import of_their_own
from tests.referring import referred
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
    referral: str  # of the last of them, to the clinic
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

    @property
    def clients(self) -> str:
        """Where the systems of the clinic are made."""
        return f"/organisations/{self.cast.organisation('clinic')}/clients"

    async def works_as(self, made: dict[str, Any]) -> dict[str, str]:
        """Sign in as a system with what the admin was shown; everything there is for it is tried."""
        client = door(self.app)
        headers = bearer(answered(await token(client, credentials(made)), 200))
        assert await reaches_a_referral(self, client, headers) == []
        return headers

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
    elsewhere = await of_their_own(it.cast)  # whose register is empty: the test knows everybody's password
    path = f"/users/{it.cast.id(elsewhere['caseworker'])}"
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
        answered(yes, 403)
    answered(await client.get("/me/notices", headers=system), 403)


async def makes_a_system_and_uses_it(it: Attempt) -> None:
    """With the secret, and with a session that was opened before and would go on."""
    made = await it.call("POST", it.clients, {"name": "Records"})
    await it.works_as(made)
    await it.call("GET", f"{it.clients}/{made['client_id']}")


async def confirms_the_system(it: Attempt) -> None:
    made = await it.call("POST", it.clients, {"name": "Records"})
    yes = f"{it.clients}/{made['client_id']}/confirm"
    await it.call("POST", yes)
    await it.call("POST", yes, {"confirmed": True}, **{"Idempotency-Key": made["id"]})
    for path in (f"/users/{made['id']}", f"/users/{made['id']}/confirm", f"/users/{made['id']}/reset-password"):
        await it.call("POST", path)
    await it.call("PATCH", f"{it.clients}/{made['client_id']}", {"confirmed": True})
    await it.call("PATCH", f"/users/{made['id']}", {"active": True, "system": False})
    await it.call("POST", it.clients, {"name": "Records", "confirmed": True})
    await it.works_as(made)


async def makes_systems_that_confirm_each_other(it: Attempt) -> None:
    one, other = [await it.call("POST", it.clients, {"name": "Records"}) for _ in range(2)]
    client, headers = door(it.app), await it.works_as(one)
    for made in (one, other):
        yes = await client.post(f"{it.clients}/{made['client_id']}/confirm", headers=headers)
        it.answers.append(yes)
        answered(yes, 403)


async def makes_a_person_of_the_partner_who_confirms_the_system(it: Attempt) -> None:
    """Also where nobody else could say yes, in an organisation of the admin's own: a signatory's supervisor could."""
    body = {"name": "Own", "name_km": "គ្លីនិក", "kind": "health", "signatory": True}
    own = await it.call("POST", "/organisations", body)
    for organisation in (it.cast.organisation("clinic"), own["id"]):
        made = await it.call("POST", f"/organisations/{organisation}/clients", {"name": "Records"})
        person = await it.new(role="partner", organisation_id=organisation)
        await it.call("POST", f"/users/{person['id']}/confirm")
        await it.call("POST", f"/organisations/{organisation}/clients/{made['client_id']}/confirm")
        await it.works_as(made)


async def becomes_a_person_of_the_partner(it: Attempt) -> None:
    own, clinic = it.cast.id("admin"), it.cast.organisation("clinic")
    made = await it.call("POST", it.clients, {"name": "Records"})
    await it.call("PATCH", f"/users/{own}", {"role": "partner", "organisation_id": clinic})
    await it.call("POST", f"/users/{own}/confirm")
    await it.call("POST", f"{it.clients}/{made['client_id']}/confirm")
    await it.works_as(made)


async def keeps_a_session_over_the_partners_yes(it: Attempt) -> None:
    """The partner says yes, as asked; what the admin knew and had opened before is worth nothing after it."""
    key = {"Idempotency-Key": f"made-{it.victim.id}"}
    made = await it.call("POST", it.clients, {"name": "Records"}, **key)
    headers = await it.works_as(made)
    yes = await it.cast.client("partner").post(f"{it.clients}/{made['client_id']}/confirm")
    assert answered(yes, 200)["client_secret"] not in it.secrets()
    await it.call("POST", it.clients, {"name": "Records"}, **key)
    await it.call("POST", f"{it.clients}/{made['client_id']}/confirm")
    await it.call("GET", it.clients)
    await it.call("GET", "/me/notices")
    answered(await door(it.app).get("/me", headers=headers), 401)
    answered(await token(door(it.app), credentials(made)), 401)


async def asks_for_more_scopes(it: Attempt) -> None:
    for scopes in (["user:confirm"], ["client:confirm"], ["case:read"], ["case:read", "referral:read"]):
        made = await it.call("POST", it.clients, {"name": "Records", "scopes": scopes})
        assert "client_secret" not in made
    await it.works_as(await it.call("POST", it.clients, {"name": "Records", "scopes": ["referral:read"]}))


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
    makes_a_system_and_uses_it,
    confirms_the_system,
    makes_systems_that_confirm_each_other,
    makes_a_person_of_the_partner_who_confirms_the_system,
    becomes_a_person_of_the_partner,
    keeps_a_session_over_the_partners_yes,
    asks_for_more_scopes,
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
    asked = await referred(cast)
    cases = [await open_case(cast), await open_case(cast, category="domestic_violence"), asked["case_id"]]
    return Attempt(app, runtime, cast, victim, liaison, cases, asked["id"])


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


async def reaches_a_referral(it: Attempt, client: httpx.AsyncClient, headers: dict[str, str]) -> list[str]:
    """What answers with a referral, or lets one be written."""
    one = f"/referrals/{it.referral}"
    calls: list[tuple[str, str, Any]] = [
        *(("GET", f"{one}{rest}", None) for rest in ("", "/receipt", "/messages")),
        ("GET", "/referrals", None),
        ("POST", f"{one}/transitions", {"to": "accepted"}),
        ("POST", f"{one}/messages", {"text": "Where is she?"}),
        ("POST", "/referrals", {}),
    ]
    found = []
    for method, path, body in calls:
        answer = await client.request(method, path, json=body, headers=headers)
        nothing = answer.status_code == 200 and answer.json().get("items") == []
        if answer.status_code not in {401, 403, 404} and not nothing:
            found.append(f"{method} {path}")
    return found


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda one: one.__name__)
async def test_an_admin_alone_reaches_no_case(it: Attempt, attempt: Callable[[Attempt], Awaitable[None]]) -> None:
    await attempt(it)
    assert it.answers
    assert await reaches_a_case(it, it.cast.client("admin"), {}) == []
    assert await reaches_a_referral(it, it.cast.client("admin"), {}) == []
    me = answered(await it.cast.client("admin").get("/me"), 200)
    assert me["role"] == "admin"
    for headers in await sessions_of_the_admin(it):
        assert await reaches_a_case(it, door(it.app), headers) == []
        assert await reaches_a_referral(it, door(it.app), headers) == []
    for response in it.answers:
        assert "initial_password" not in response.text
    # Whose rights the admin would borrow has none more than before: the liaison was given no commune.
    shown = answered(await it.cast.client("admin").get(f"/users/{it.liaison.id}"), 200)
    assert shown["communes"] == []


async def test_the_table_would_notice_a_way_in(it: Attempt) -> None:
    """With the password of a caseworker the same questions do find cases, and with a confirmed system's referrals."""
    headers = bearer(answered(await token(door(it.app), it.victim.grant()), 200))
    assert f"/cases/{it.cases[0]}" in await reaches_a_case(it, door(it.app), headers)
    working = await working_system(it.cast)
    headers = bearer(answered(await token(door(it.app), credentials(working)), 200))
    assert len(await reaches_a_referral(it, door(it.app), headers)) >= 5
    assert str(uuid4()) not in it.secrets()
